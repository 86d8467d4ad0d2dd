/**
 * What the kernels of one step must move and compute, from shapes alone. Host only; what they take is measured elsewhere.
 *
 * Bytes are those that a dispatch can't avoid: every operand is read once and every result written once, however
 * often a kernel fetches it again. Operations are multiply-adds; a lone addition or multiplication counts as one,
 * while comparisons, exponentials and roots don't count. Widths are the padded ones, R rows, O of them with logits:
 *
 *     linear K → N       b · K · N weights, 4 · (R · K + R · N) activations, 4 · N bias; R · K · N operations
 *     attention, row r   K and V of the c(r) tokens up to its own; 2 · A · c(r) operations
 *
 * with b the bytes of a stored weight; those of scales are added, and a multiplication where K and V have them.
 *
 * @module
 */
import { type Dtype, formatOf, kvStorage, weightStorage } from "../formats/registry.ts";
import { kvRowBytes } from "../kv/strategy.ts";
import type { Batch } from "./batch.ts";
import type { Gpt2Config } from "../checkpoint/config.ts";
import { dimsOf } from "./dims.ts";
import { splitsOf } from "./kernels.ts";
import type { Role } from "./layouts.ts";
import type { Tuning } from "./tuning.ts";

/** What the dispatches of one kind do together in one step. */
export interface Cost {
  /** Bytes that they must read and write. */
  readonly bytes: number;
  /** Multiply-adds. */
  readonly macs: number;
}

/** What costs depend on beside the batch. */
export interface CostOptions {
  /** The model's dimensions. */
  readonly config: Gpt2Config;
  /** How weight matrices are stored. */
  readonly weightsDtype: Dtype;
  /** How K and V are stored. */
  readonly kvDtype: Dtype;
  /** The kernel variants. */
  readonly tuning: Pick<Tuning, "splitTokens">;
}

/** The costs of one step with a greedy choice, by kernel; what the step does not dispatch costs nothing. */
export function stepCosts(
  batch: Batch,
  { config, weightsDtype, kvDtype, tuning }: CostOptions,
): Record<Exclude<Role, "sample">, Cost> {
  const { nLayer, nHead, vocabSize } = config;
  const dims = dimsOf(config);
  const [e, a, i, v] = [4 * dims.e4, 4 * dims.a4, 4 * dims.i4, 4 * dims.v4];
  const { nRows, nOutputs } = batch;
  const weightBytes = formatOf(weightsDtype).bytes;
  /** Of one output. */
  const scaleBytes = (k: number) =>
    weightStorage(weightsDtype).scaleBytes({ k4: k / 4, n4: 1, tileGroup: 1 }) / 4;
  const kvRow = kvRowBytes({ a4: dims.a4, nHead, dtype: kvDtype });
  const attention = attentionShape(batch, tuning);
  const isSplit = tuning.splitTokens > 0;
  /** [splits, A] sums and [splits, H] maxima and weights in vectors of four; or the result. */
  const partial = isSplit ? attention.splits * (4 * a + 16 * nHead) : 4 * a * batch.nDecodeTiles;

  const cost = (count: number, bytes: number, macs: number): Cost => ({
    bytes: count * bytes,
    macs: count * macs,
  });
  /** `extra`: values of N that are read beside a row's inputs, for the residual. */
  const linear = (k: number, n: number, { rows = nRows, bias = n, extra = 0 } = {}) =>
    [weightBytes * k * n + scaleBytes(k) * n + 4 * bias + 4 * rows * (k + n + extra), rows * k * n] as const;
  /** Of a row: the sum, the squares, then the scaling and the shift. */
  const norm = (rows: number) => [4 * (2 * rows * e + 2 * e), 4 * rows * e] as const;
  return {
    "embedding": cost(1, nRows * (4 + weightBytes * e + scaleBytes(e) + 8 * e), nRows * e),
    "norm": cost(2 * nLayer, ...norm(nRows)),
    "qkv": cost(nLayer, ...linear(e, 3 * a)),
    "kv write": cost(nLayer, nRows * (8 * a + kvRow), kvStorage(kvDtype).scaleBytes > 0 ? 2 * nRows * a : 0),
    "attention prefill": cost(
      attention.prefillRows > 0 ? nLayer : 0,
      8 * a * attention.prefillRows + kvRow * attention.prefillTokens,
      2 * a * attention.prefillPairs,
    ),
    "attention decode": cost(
      batch.nDecodeTiles > 0 ? nLayer : 0,
      4 * a * batch.nDecodeTiles + kvRow * attention.decodeTokens + partial,
      2 * a * attention.decodeTokens,
    ),
    "attention combine": cost(
      isSplit && batch.nDecodeTiles > 0 ? nLayer : 0,
      partial + 4 * a * batch.nDecodeTiles,
      attention.splits * a,
    ),
    "proj": cost(nLayer, ...linear(a, e, { extra: e })),
    "fc": cost(nLayer, ...linear(e, i)),
    "out": cost(nLayer, ...linear(i, e, { extra: e })),
    "final norm": cost(nOutputs > 0 ? 1 : 0, ...norm(nOutputs)),
    "head": cost(nOutputs > 0 ? 1 : 0, ...linear(e, v, { rows: nOutputs, bias: 0 })),
    "argmax": cost(1, nOutputs * (4 * vocabSize + 4), 0),
  };
}

/** What the attention of a batch covers, over all tiles. */
function attentionShape({ tiles, nPrefillTiles }: Batch, tuning: CostOptions["tuning"]) {
  const reach = new Map<number, number>(); // tokens that a sequence's prefill tiles attend to
  let prefillRows = 0, prefillPairs = 0, decodeTokens = 0, splits = 0;
  for (let t = 0; 4 * t < tiles.length; t++) {
    const [, rows, sequence, first] = tiles.subarray(4 * t, 4 * t + 4) as Iterable<number> as [
      number,
      number,
      number,
      number,
    ];
    if (t >= nPrefillTiles) {
      decodeTokens += first + 1;
      splits += splitsOf(first + 1, tuning);
      continue;
    }
    prefillRows += rows;
    prefillPairs += rows * (first + 1) + rows * (rows - 1) / 2; // row r attends to first + 1 + r tokens
    reach.set(sequence, Math.max(reach.get(sequence) ?? 0, first + rows));
  }
  const prefillTokens = [...reach.values()].reduce((sum, tokens) => sum + tokens, 0);
  return { prefillRows, prefillPairs, prefillTokens, decodeTokens, splits };
}
