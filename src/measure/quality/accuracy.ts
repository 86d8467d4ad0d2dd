/**
 * The accuracy of narrower storage types: logits after the same tokens with float32 and with narrower weights, K or V.
 * The tokens are those that float32 chooses, so that one other choice does not make all later ones differ.
 */
import { z } from "../../base/zod.ts";
import { allLogits, logitDecoding } from "../../engine/all_logits.ts";
import { generate } from "../../engine/generate.ts";
import { withDecoder } from "../../engine/with_decoder.ts";
import { decodingNeed, type NeedContext, withOther, type WorkNeed } from "../../engine/work_need.ts";
import { DEFAULT_DTYPE, type Dtype, WEIGHT_DTYPES } from "../../formats/registry.ts";
import { kvDtypeSchema } from "../../formats/kv_dtype.ts";
import { dtypeSchema } from "../../formats/schema.ts";
import { kvRowBytes } from "../../kv/shape.ts";
import type { Model } from "../../model/model.ts";
import { largestIndices } from "../../model/log_probabilities.ts";
import { GREEDY } from "../../model/sampling.ts";
import { amount, bytes, count, positive } from "../record/fields.ts";

const storage = (what: string) =>
  z.strictObject({
    weights_bytes: bytes("Model weights on the GPU, as the ledger counts them"),
    kv_bytes_per_token: bytes("K and V of a token, over all layers"),
  }).describe(what);

/** Checks an {@linkcode Accuracy}. */
export const accuracySchema = z.strictObject({
  weights_dtype: dtypeSchema(WEIGHT_DTYPES).describe("Type of the weights"),
  kv_dtype: kvDtypeSchema.describe("Types of K and V: that of both, or K's/V's"),
  positions: positive("Positions at which logits were compared: before each new token"),
  greedy_equal: count("Positions at which the largest logit belongs to the same token as with float32"),
  max_logit_difference: amount("Largest absolute difference of a logit from float32's"),
  stored: storage("Bytes with these types"),
  stored_f32: storage("Bytes with float32"),
});

/** The accuracy of a combination of storage types, and the memory that it saves. */
export type Accuracy = z.infer<typeof accuracySchema>;

/** Called with positions done and positions in all. */
export type AccuracyProgress = (done: number, total: number) => void;

/** The logits of a model in float32. */
export interface Reference {
  /** The prompt and its greedy continuation, without the last token. */
  readonly ids: readonly number[];
  /** Logits at the last positions of `ids`: [positions][vocabSize]. */
  readonly logits: readonly Float32Array[];
  readonly stored: Accuracy["stored"];
}

/** Most new tokens that are compared, since their logits are held in memory. */
export const MAX_POSITIONS = 64;

/**
 * Continues a prompt greedily and keeps the logits.
 *
 * @param model A model with weights in float32; K and V are stored in float32 too.
 * @param newTokens Tokens to continue with, at most 64.
 * @throws {UsageError} If the text is longer than the model's context.
 * @throws {KvbenchError} If the device fails.
 */
export async function referenceOf(
  model: Model,
  prompt: readonly number[],
  newTokens: number,
  onProgress: AccuracyProgress = () => {},
): Promise<Reference> {
  const positions = Math.min(newTokens, MAX_POSITIONS);
  const length = prompt.length + positions - 1;
  return await withDecoder(model, logitDecoding(DEFAULT_DTYPE, length, length), async (decoder) => {
    const ids = [...prompt];
    if (positions > 1) {
      const request = { prompts: [prompt], maxNewTokens: positions - 1, sampling: [GREEDY] };
      for await (const [chunk] of generate(decoder, request)) {
        ids.push(...chunk!);
        onProgress(ids.length - prompt.length, positions + length);
      }
    }
    const logits: Float32Array[] = [];
    let position = 0;
    for await (const row of allLogits(decoder, ids)) {
      if (position++ >= length - positions) logits.push(row);
      onProgress(positions + position, positions + length);
    }
    return { ids, logits, stored: storedBytes(model, DEFAULT_DTYPE) };
  });
}

/**
 * Compares a model with the reference, after the same tokens.
 *
 * @param kvDtype Storage type of K and V.
 * @throws {KvbenchError} If the device fails.
 */
export async function accuracyOf(
  model: Model,
  reference: Reference,
  kvDtype: Dtype,
  onProgress: AccuracyProgress = () => {},
): Promise<Accuracy> {
  const { ids, logits } = reference;
  return await withDecoder(model, logitDecoding(kvDtype, ids.length, ids.length), async (decoder) => {
    let position = 0, greedyEqual = 0, largest = 0;
    for await (const row of allLogits(decoder, ids)) {
      const expected = logits[position++ - (ids.length - logits.length)];
      onProgress(position, ids.length);
      if (expected === undefined) continue;
      if (largestIndices(row, 1)[0] === largestIndices(expected, 1)[0]) greedyEqual++;
      largest = row.reduce((most, value, id) => Math.max(most, Math.abs(value - expected[id]!)), largest);
    }
    return {
      weights_dtype: model.weightsDtype,
      kv_dtype: kvDtype,
      positions: logits.length,
      greedy_equal: greedyEqual,
      max_logit_difference: largest,
      stored: storedBytes(model, kvDtype),
      stored_f32: reference.stored,
    };
  });
}

/** Returns the memory that {@linkcode referenceOf} and {@linkcode accuracyOf} need besides the weights. */
export function accuracyNeed(context: NeedContext, promptTokens: number, newTokens: number): WorkNeed {
  const positions = Math.min(newTokens, MAX_POSITIONS);
  const length = promptTokens + positions - 1;
  const need = decodingNeed(context, logitDecoding(DEFAULT_DTYPE, length, length));
  return withOther(need, { host: positions * context.config.vocabSize * 4 });
}

function storedBytes({ gpu, config, dims }: Model, kvDtype: Dtype): Accuracy["stored"] {
  const row = kvRowBytes({ ...config, ...dims, dtype: kvDtype });
  return { weights_bytes: gpu.ledger.current.weights, kv_bytes_per_token: row * config.nLayer };
}
