/** The logits of every position of a text, in parts that fit the GPU and the host. */
import type { Dtype } from "../formats/registry.ts";
import { plainStrategy } from "../kv/registry.ts";
import type { Decoder } from "./decoder.ts";
import type { DecodingOptions } from "./with_decoder.ts";

/** Positions whose logits are held at once: a row of GPT-2's vocabulary takes 200 KB. */
const LOGIT_ROWS = 64;

/**
 * Returns the options of a decoder for {@link allLogits}.
 *
 * @param maxPromptTokens Most tokens of a prompt. Default: {@link LOGIT_ROWS}.
 */
export function logitDecoding(
  kvDtype: Dtype,
  maxTokens: number,
  maxPromptTokens: number = LOGIT_ROWS,
): DecodingOptions {
  const maxOutputs = Math.min(maxPromptTokens, LOGIT_ROWS);
  return { strategy: plainStrategy().name, kvDtype, nSequences: 1, maxTokens, maxPromptTokens, maxOutputs };
}

/**
 * Begins a sequence with `ids` and yields the logits after each of them, in order: [vocabSize] per position. The
 * decoder must be made with {@link logitDecoding}.
 *
 * @param rows Tokens of a step. Default: {@link LOGIT_ROWS}.
 * @throws {UsageError} If the sequence is longer than the decoder allows.
 * @throws {KvbenchError} If the device fails.
 */
export async function* allLogits(
  decoder: Decoder,
  ids: readonly number[],
  rows: number = LOGIT_ROWS,
): AsyncGenerator<Float32Array> {
  for (let first = 0; first < ids.length; first += rows) {
    const part = ids.slice(first, first + rows);
    if (first === 0) decoder.begin([part]);
    else decoder.append([part]);
    yield* await decoder.logits(part.length);
  }
}
