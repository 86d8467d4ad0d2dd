/**
 * What narrower numbers cost in exactness: logits after the same tokens with float32 and with narrower weights, K or
 * V. The tokens are those that float32 chooses, so that one other choice does not make all later ones differ.
 *
 * @module
 */
import { z } from "../../base/zod.ts";
import { allLogits, LOGIT_ROWS } from "../../engine/all_logits.ts";
import { generate } from "../../engine/generate.ts";
import { withDecoder } from "../../engine/with_decoder.ts";
import { decodingNeed, type NeedContext, withOther, type WorkNeed } from "../../engine/work_need.ts";
import { DEFAULT_DTYPE, type Dtype, KV_DTYPES, WEIGHT_DTYPES } from "../../formats/registry.ts";
import { dtypeSchema } from "../../formats/schema.ts";
import { kvRowBytes } from "../../kv/strategy.ts";
import type { Gpt2 } from "../../model/gpt2.ts";
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
  kv_dtype: dtypeSchema(KV_DTYPES).describe("Type of K and V"),
  positions: positive("New tokens before which logits were compared"),
  greedy_equal: count("Those of them where the largest logit is the same token's as with float32"),
  max_logit_difference: amount("The largest absolute difference of a logit from that with float32"),
  stored: storage("What these types take"),
  stored_f32: storage("What float32 takes"),
});

/**
 * How exact a combination of types is, and what it saves.
 *
 * @internal Tagged so because `deno doc --lint` takes the inferred type for a private one of zod.
 */
export type Accuracy = z.infer<typeof accuracySchema>;

/** Called with positions done and positions in all. */
export type AccuracyProgress = (done: number, total: number) => void;

/** What a model in float32 says. */
export interface Reference {
  /** The prompt and what float32 continues it with, but for the last token. */
  readonly ids: readonly number[];
  /** Logits at the last positions of `ids`: [positions][vocabSize]. */
  readonly logits: readonly Float32Array[];
  /** What float32 takes. */
  readonly stored: Accuracy["stored"];
}

/** New tokens that are compared at most: their logits are held in memory. */
export const MAX_POSITIONS = 64;

/**
 * Continues a prompt greedily and keeps the logits.
 *
 * @param model In float32; K and V will be, too.
 * @param newTokens How many to continue with; of more than {@linkcode MAX_POSITIONS}, so many are.
 * @param onProgress Called as it goes.
 * @throws {UsageError} If the text is longer than the model's context.
 * @throws {KvbenchError} If the device fails.
 */
export async function referenceOf(
  model: Gpt2,
  prompt: readonly number[],
  newTokens: number,
  onProgress: AccuracyProgress = () => {},
): Promise<Reference> {
  const positions = Math.min(newTokens, MAX_POSITIONS);
  const length = prompt.length + positions - 1;
  return await withDecoder(model, decodingOf(length, DEFAULT_DTYPE), async (decoder) => {
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
 * @param model In any type of weights.
 * @param kvDtype How it stores K and V.
 * @param onProgress Called as it goes.
 * @throws {KvbenchError} If the device fails.
 */
export async function accuracyOf(
  model: Gpt2,
  reference: Reference,
  kvDtype: Dtype,
  onProgress: AccuracyProgress = () => {},
): Promise<Accuracy> {
  const { ids, logits } = reference;
  return await withDecoder(model, decodingOf(ids.length, kvDtype), async (decoder) => {
    let position = 0, greedyEqual = 0, largest = 0;
    for await (const row of allLogits(decoder, ids)) {
      const wanted = logits[position++ - (ids.length - logits.length)];
      onProgress(position, ids.length);
      if (wanted === undefined) continue;
      if (largestIndices(row, 1)[0] === largestIndices(wanted, 1)[0]) greedyEqual++;
      largest = row.reduce((most, value, id) => Math.max(most, Math.abs(value - wanted[id]!)), largest);
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

/** What {@linkcode referenceOf} and {@linkcode accuracyOf} need beside the weights, for a prompt of so many tokens. */
export function accuracyNeed(context: NeedContext, promptTokens: number, newTokens: number): WorkNeed {
  const positions = Math.min(newTokens, MAX_POSITIONS);
  const need = decodingNeed(context, decodingOf(promptTokens + positions - 1, DEFAULT_DTYPE));
  return withOther(need, { host: positions * context.config.vocabSize * 4 });
}

function decodingOf(length: number, kvDtype: Dtype) {
  return {
    strategy: "kv-cache",
    blockSize: 16,
    growth: "static",
    kvDtype,
    nSequences: 1,
    capacityTokens: length,
    maxTokens: length,
    maxPromptTokens: length,
    maxOutputs: Math.min(length, LOGIT_ROWS),
  } as const;
}

function storedBytes({ gpu, config, dims }: Gpt2, kvDtype: Dtype): Accuracy["stored"] {
  const row = kvRowBytes({ ...config, ...dims, dtype: kvDtype });
  return { weights_bytes: gpu.ledger.current.weights, kv_bytes_per_token: row * config.nLayer };
}
