/**
 * Statistics over the divergences of many positions, with standard errors as llama.cpp's `--kl-divergence` reports them:
 *
 *   mean         ± √((Σx²/n − mean²) / (n − 1))
 *   same top     ± √(share · (1 − share) / (n − 1))
 *   RMS Δp       ± (standard error of mean Δp²) / (2 · RMS)
 *   perplexity   exp(mean NLL) ± perplexity · (standard error of mean NLL)
 *   ratio        exp(mean of the differences of NLL) ± ratio · (its standard error)
 *
 * Positions of a text depend on each other, so that the errors are on the small side there as here.
 */
import { z } from "../../base/zod.ts";
import { amount, positive } from "../record/fields.ts";
import { mean, percentile, standardDeviation } from "../statistics/statistics.ts";
import type { Divergence } from "./divergence.ts";

/** A figure with its standard error. */
export const estimate = (what: string): z.ZodType<{ value: number; error: number | null }> =>
  z.strictObject({
    value: z.number().describe("Figure"),
    error: amount("Standard error").nullable().describe("Standard error; null with one position"),
  }).describe(what);

/** Checks a {@linkcode DivergenceSummary}. */
export const divergenceSummarySchema = z.strictObject({
  positions: positive("Positions that were compared"),
  kld: z.strictObject({
    mean: estimate("Mean"),
    median: z.number().describe("Median"),
    p95: z.number().describe("95th percentile"),
    p99: z.number().describe("99th percentile"),
    max: z.number().describe("Maximum"),
  }).describe("Kullback-Leibler divergence from full float32 per token, in nats"),
  same_top: estimate("Share of positions whose likeliest token is that of full float32"),
  delta_p: z.strictObject({
    mean: estimate("Mean"),
    rms: estimate("Root of the mean square"),
  }).describe("Probability of the right token less that in full float32"),
  perplexity: estimate("Perplexity of the text"),
  perplexity_ratio: estimate("Perplexity as a multiple of that in full float32"),
});

/** The divergence over many positions. */
export type DivergenceSummary = z.infer<typeof divergenceSummarySchema>;

/** A figure and its standard error. */
export interface Estimate {
  readonly value: number;
  readonly error: number | null;
}

/** Estimates a mean. */
export function meanOf(values: readonly number[]): Estimate {
  const { length } = values;
  return { value: mean(values), error: length > 1 ? standardDeviation(values) / Math.sqrt(length) : null };
}

/** Summarises divergences. */
export function summariseDivergence(all: readonly Divergence[]): DivergenceSummary {
  const kld = all.map((each) => each.kld), deltaP = all.map((each) => each.deltaP);
  const meanSquare = meanOf(deltaP.map((value) => value ** 2)), rms = Math.sqrt(meanSquare.value);
  return {
    positions: all.length,
    kld: {
      mean: meanOf(kld),
      median: percentile(kld, 50),
      p95: percentile(kld, 95),
      p99: percentile(kld, 99),
      max: percentile(kld, 100),
    },
    same_top: meanOf(all.map(({ sameTop }) => Number(sameTop))),
    delta_p: {
      mean: meanOf(deltaP),
      rms: { value: rms, error: rms === 0 ? 0 : meanSquare.error && meanSquare.error / (2 * rms) },
    },
    perplexity: exponential(meanOf(all.map(({ nll }) => nll))),
    perplexity_ratio: exponential(meanOf(all.map(({ nll, referenceNll }) => nll - referenceNll))),
  };
}

/** Estimates the perplexity of the reference over the same positions. */
export function referencePerplexity(all: readonly Divergence[]): Estimate {
  return exponential(meanOf(all.map(({ referenceNll }) => referenceNll)));
}

/** Estimates exp(x), by its derivative. */
function exponential({ value, error }: Estimate): { value: number; error: number | null } {
  const result = Math.exp(value);
  return { value: result, error: error && result * error };
}
