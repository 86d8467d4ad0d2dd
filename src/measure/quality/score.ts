/**
 * The quality of cells, that is of strategies and storage types: a text goes through each of them as decoding does, token by token after
 * a prompt, and its logits are compared with those of the same text in full float32. Of a long text, one part after
 * another; only the reference's logits of one part are held.
 */
import { UsageError } from "../../base/errors.ts";
import { allLogits, logitDecoding } from "../../engine/all_logits.ts";
import { steppedLogits } from "../../engine/stepped_logits.ts";
import { type DecodingOptions, withDecoder } from "../../engine/with_decoder.ts";
import { decodingNeed, inTurn, type NeedContext, withOther, type WorkNeed } from "../../engine/work_need.ts";
import { DEFAULT_DTYPE } from "../../formats/registry.ts";
import { kvBytesOf } from "../../kv/shape.ts";
import type { Model } from "../../model/model.ts";
import type { CellPlan } from "../run/grid.ts";
import { decodingOf } from "../run/group.ts";
import { type Divergence, divergenceOf, type ReferenceRow, referenceRow } from "./divergence.ts";
import { summariseDivergence } from "./divergence_summary.ts";
import type { ScoredCell } from "./scored_cell.ts";

/** A part of a text, of which the tokens after the prompt are scored. */
export interface TextPart {
  readonly ids: readonly number[];
  /** Tokens that are computed at once. */
  readonly promptTokens: number;
}

/** A part with the reference's logits before each scored token. */
export interface ReferencePart extends TextPart {
  readonly rows: readonly ReferenceRow[];
}

/** A part that went through a cell. */
export interface ScoredPart {
  readonly divergences: readonly Divergence[];
  /** Tokens whose K and V are stored at the end. */
  readonly kvTokens: number;
  /** Their bytes. */
  readonly kvBytes: number;
}

/** The division of a text. */
interface PartOptions {
  /** Tokens of a part. */
  readonly context: number;
  /** Tokens that are computed at once. Default: half of the part and one more, as llama.cpp has it. */
  readonly promptTokens?: number | undefined;
  /** Most parts. Default: as many as there are. */
  readonly most?: number | undefined;
}

/**
 * Divides a text into parts of `context` tokens, of which llama.cpp's `--kl-divergence` scores the second half too. A
 * rest is left out, unless it is all.
 *
 * @throws {UsageError} If there is nothing to score.
 */
export function partsOf(ids: readonly number[], { context, promptTokens, most }: PartOptions): TextPart[] {
  const length = Math.min(context, ids.length), prompt = promptTokens ?? Math.floor(length / 2) + 1;
  if (prompt >= length) {
    throw new UsageError(
      `A part of ${length} tokens has none after a prompt of ${prompt}: expected a longer text or a shorter prompt`,
    );
  }
  const count = Math.min(most ?? Infinity, Math.floor(ids.length / length));
  return Array.from({ length: count }, (_, i) => ({
    ids: ids.slice(i * length, (i + 1) * length),
    promptTokens: prompt,
  }));
}

/**
 * Computes the logits of a part in full float32.
 *
 * @param model A model with weights in float32.
 * @throws {KvbenchError} If the device fails.
 */
export async function referencePart(model: Model, part: TextPart): Promise<ReferencePart> {
  const { ids, promptTokens } = part, length = ids.length - 1;
  return await withDecoder(model, logitDecoding(DEFAULT_DTYPE, length), async (decoder) => {
    const rows: ReferenceRow[] = [];
    let position = 0;
    for await (const logits of allLogits(decoder, ids.slice(0, length))) {
      // A copy, since rows are views of what was read at once.
      if (++position >= promptTokens) rows.push(referenceRow(logits.slice()));
    }
    return { ...part, rows };
  });
}

/**
 * Compares a cell with the reference.
 *
 * @param onPosition Called after each position that was compared.
 * @throws {KvbenchError} If the device fails.
 */
export async function scorePart(
  model: Model,
  cell: CellPlan,
  { ids, promptTokens, rows }: ReferencePart,
  onPosition: () => void = () => {},
): Promise<ScoredPart> {
  return await withDecoder(model, steppedDecoding(cell, { ids, promptTokens }), async (decoder) => {
    const divergences: Divergence[] = [];
    for await (const logits of steppedLogits(decoder, ids.slice(0, -1), promptTokens)) {
      const i = divergences.length;
      divergences.push(divergenceOf(rows[i]!, logits, ids[promptTokens + i]!));
      onPosition();
    }
    const { policy, pool } = decoder.runner, usage = policy.usage();
    return {
      divergences,
      kvTokens: usage.stored,
      kvBytes: kvBytesOf(usage, pool.tokenBytes).usedBytes,
    };
  });
}

/** Makes the record of a cell from the parts that went through it. */
export function scoredCell({ strategy, settings }: CellPlan, parts: readonly ScoredPart[]): ScoredCell {
  const { kvTokens, kvBytes } = parts.at(-1)!;
  const divergence = summariseDivergence(parts.flatMap(({ divergences }) => divergences));
  return { strategy, settings, kv_tokens: kvTokens, kv_bytes: kvBytes, divergence };
}

/** Returns the memory that scoring cells over a part needs besides the weights. */
export function scoringNeed(
  context: NeedContext,
  cells: readonly CellPlan[],
  part: Pick<TextPart, "promptTokens"> & { readonly ids: { readonly length: number } },
): WorkNeed {
  const { ids, promptTokens } = part, rowBytes = context.config.vocabSize * 4;
  const needs = [
    decodingNeed(context, logitDecoding(DEFAULT_DTYPE, ids.length - 1)),
    ...cells.map((cell) => decodingNeed(context, steppedDecoding(cell, part))),
  ];
  return withOther(inTurn(...needs), { host: (ids.length - promptTokens) * rowBytes });
}

function steppedDecoding(
  cell: CellPlan,
  { ids, promptTokens }: Parameters<typeof scoringNeed>[2],
): DecodingOptions {
  const sizes = { nSequences: 1, maxPromptTokens: promptTokens, maxTokens: ids.length - 1 };
  return { ...decodingOf(cell), ...sizes, sampled: false };
}
