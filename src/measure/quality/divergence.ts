/**
 * The divergence of logits from those of a reference at one position, in float64:
 *
 *   KLD   Σ p · (log p − log q), p the reference's probabilities and q the other's
 *   Δp    q − p of the right token
 *
 * Both as llama.cpp's `llama-perplexity --kl-divergence` has them (tools/perplexity/perplexity.cpp,
 * https://github.com/ggml-org/llama.cpp/blob/050fc7f32de16858ac667d775b43a51ed8976e6f/tools/perplexity/perplexity.cpp),
 * which keeps the reference in 16 bits and leaves out tokens below log p = −16; here nothing is rounded or left out.
 */
import { largestIndices, logSumExp } from "../../model/log_probabilities.ts";

/** The logits of the reference at a position, and what is computed of them once. */
export interface ReferenceRow {
  /** [vocabSize] */
  readonly logits: Float32Array;
  /** log Σ exp(logits) */
  readonly logSum: number;
  /** The likeliest token. */
  readonly top: number;
}

/** The divergence at one position. */
export interface Divergence {
  /** Kullback-Leibler divergence of the reference from the other, in nats. */
  readonly kld: number;
  /** True if both have the same likeliest token. */
  readonly sameTop: boolean;
  /** True if the right token is the likeliest. */
  readonly hit: boolean;
  /** The right token's probability less the reference's. */
  readonly deltaP: number;
  /** Negative log-likelihood of the right token. */
  readonly nll: number;
  /** The reference's. */
  readonly referenceNll: number;
}

/** Prepares a row of the reference. */
export function referenceRow(logits: Float32Array): ReferenceRow {
  return { logits, logSum: logSumExp(logits), top: largestIndices(logits, 1)[0]! };
}

/** Compares logits with the reference, at a position after which `right` comes. */
export function divergenceOf(
  { logits: expected, logSum, top }: ReferenceRow,
  logits: Float32Array,
  right: number,
): Divergence {
  const ownSum = logSumExp(logits);
  // log p − log q = (x − y) − (log Σ exp x − log Σ exp y), and Σ p = 1.
  let sum = 0;
  for (let id = 0; id < expected.length; id++) {
    const x = expected[id]!;
    sum += Math.exp(x - logSum) * (x - logits[id]!);
  }
  const ownTop = largestIndices(logits, 1)[0];
  const nll = ownSum - logits[right]!, referenceNll = logSum - expected[right]!;
  return {
    kld: sum - logSum + ownSum,
    sameTop: ownTop === top,
    hit: ownTop === right,
    deltaP: Math.exp(-nll) - Math.exp(-referenceNll),
    nll,
    referenceNll,
  };
}
