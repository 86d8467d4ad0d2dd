/**
 * A flat batch of rows: what one step computes. A row is one token of one sequence; prefill, decode, recompute
 * and mixtures of them differ only in their rows. Host only; `step_tables.ts` brings batches to the GPU.
 */

/** Rows of one prefill tile: what `attention_prefill.wgsl` handles together. */
export const TILE_ROWS = 8;

/** Consecutive tokens of one sequence. */
export interface Span {
  /** Which sequence. */
  readonly sequence: number;
  /** Position of the first token. */
  readonly first: number;
  /** Tokens. */
  readonly count: number;
  /** The last tokens whose logits are computed. */
  readonly outputs: number;
  /** Other sequences that begin alike and get their next token from the last one's logits too. */
  readonly alsoFor?: readonly number[];
}

/** The tables of one step, in the layout of `step.wgsl`. */
export interface Batch {
  /** Rows to compute. */
  readonly nRows: number;
  /** Tiles of several rows. */
  readonly nPrefillTiles: number;
  /** Tiles of one row. */
  readonly nDecodeTiles: number;
  /** Rows that want logits. */
  readonly nOutputs: number;
  /** The most entries that a decode tile goes through. */
  readonly decodeContext: number;
  /** [nRows, 2] sequence, position */
  readonly rows: Uint32Array;
  /** [nPrefillTiles + nDecodeTiles, 4] first row, rows, sequence, first position */
  readonly tiles: Uint32Array;
  /** [nOutputs, 4] row, sequence, position, unused */
  readonly outputs: Uint32Array;
}

/**
 * Lays spans out as rows, tiles and outputs, in the order given. A span of one token is a decode tile.
 *
 * @param entries Returns how many entries the last row of a sequence goes through when it has so many tokens. Default: all.
 */
export function batchOf(
  spans: readonly Span[],
  entries = (length: number, _sequence: number): number => length,
): Batch {
  const rows: number[] = [], prefill: number[] = [], decode: number[] = [], outputs: number[] = [];
  let decodeContext = 0;
  for (const { sequence, first, count, outputs: nOutputs, alsoFor = [] } of spans) {
    const firstRow = rows.length / 2;
    if (count === 1) {
      decode.push(firstRow, 1, sequence, first);
      decodeContext = Math.max(decodeContext, entries(first + 1, sequence));
    } else {
      for (let i = 0; i < count; i += TILE_ROWS) {
        prefill.push(firstRow + i, Math.min(TILE_ROWS, count - i), sequence, first + i);
      }
    }
    for (let i = 0; i < count; i++) {
      rows.push(sequence, first + i);
      if (i >= count - nOutputs) outputs.push(firstRow + i, sequence, first + i, 0);
    }
    for (const other of alsoFor) outputs.push(firstRow + count - 1, other, first + count - 1, 0);
  }
  return {
    nRows: rows.length / 2,
    nPrefillTiles: prefill.length / 4,
    nDecodeTiles: decode.length / 4,
    nOutputs: outputs.length / 4,
    decodeContext,
    rows: Uint32Array.from(rows),
    tiles: Uint32Array.from([...prefill, ...decode]),
    outputs: Uint32Array.from(outputs),
  };
}

/** Upper bounds of a batch, by which tables and activations are sized. */
export interface BatchLimits {
  /** Rows of one step. */
  readonly maxRows: number;
  /** Spans: one per sequence. */
  readonly maxSpans: number;
  /** Rows of logits of one step. */
  readonly maxOutputs: number;
}
