/**
 * Perplexity with a sliding window, as Hugging Face documents it ("Perplexity of fixed-length models"): windows of at
 * most `maxLength` tokens, each `stride` further, and of each only the tokens that the one before did not score.
 *
 *   perplexity = exp(−Σ log p(token | the tokens before it in its window) / scored tokens)
 */
import { allLogits, logitDecoding } from "../../engine/all_logits.ts";
import { logProbability } from "../../model/log_probabilities.ts";
import { withDecoder } from "../../engine/with_decoder.ts";
import { decodingNeed, type NeedContext, type WorkNeed } from "../../engine/work_need.ts";
import { UsageError } from "../../base/errors.ts";
import type { Dtype } from "../../formats/registry.ts";
import type { Model } from "../../model/model.ts";

/** Tokens of a text from `first` to before `end`, of which those from `scored` on count. */
interface Window {
  readonly first: number;
  readonly end: number;
  readonly scored: number;
}

interface PerplexityOptions {
  /** Most tokens of a window. */
  readonly maxLength: number;
  /** Tokens between the starts of two windows. */
  readonly stride: number;
  readonly kvDtype: Dtype;
  /** Called with the tokens scored so far. */
  readonly onProgress?: (tokens: number) => void;
}

interface Perplexity {
  /** Exponential of the mean negative log-likelihood. */
  readonly perplexity: number;
  /** Tokens that were scored. */
  readonly tokens: number;
}

/** Returns the windows over a text of `length` tokens. The first token has no context and is not scored. */
export function windows(
  length: number,
  { maxLength, stride }: Pick<PerplexityOptions, "maxLength" | "stride">,
): Window[] {
  const all: Window[] = [];
  let scored = 1;
  for (let first = 0; scored < length; first += stride) {
    const end = Math.min(first + maxLength, length);
    all.push({ first, end, scored: Math.max(scored, first + 1) });
    scored = end;
  }
  return all;
}

/**
 * Scores texts, each on its own.
 *
 * @throws {UsageError} If there is nothing to score, or windows would leave gaps.
 * @throws {KvbenchError} If the device fails.
 */
export async function perplexity(
  model: Model,
  texts: readonly (readonly number[])[],
  { maxLength, stride, kvDtype, onProgress }: PerplexityOptions,
): Promise<Perplexity> {
  if (stride >= maxLength) {
    throw new UsageError(`A stride of ${stride} leaves gaps between windows of ${maxLength}: expected less`);
  }
  if (texts.every((ids) => ids.length < 2)) {
    throw new UsageError("There is nothing to score: expected a text of at least two tokens");
  }
  return await withDecoder(model, logitDecoding(kvDtype, maxLength), async (decoder) => {
    let sum = 0, tokens = 0;
    for (const ids of texts) {
      for (const { first, end, scored } of windows(ids.length, { maxLength, stride })) {
        let position = first;
        for await (const logits of allLogits(decoder, ids.slice(first, end - 1))) {
          position++;
          if (position < scored) continue;
          sum -= logProbability(logits, ids[position]!);
          tokens++;
          onProgress?.(tokens);
        }
      }
    }
    return { perplexity: Math.exp(sum / tokens), tokens };
  });
}

/** Returns the memory that {@linkcode perplexity} needs besides the weights. */
export function perplexityNeed(
  context: NeedContext,
  { maxLength, kvDtype }: Pick<PerplexityOptions, "maxLength" | "kvDtype">,
): WorkNeed {
  return decodingNeed(context, logitDecoding(kvDtype, maxLength));
}
