/** The summary of a list of samples: the samples themselves, and their statistics. */
import { z } from "../../base/zod.ts";
import { bootstrapInterval, CONFIDENCE } from "../statistics/bootstrap.ts";
import { amount, amounts, counts } from "../record/fields.ts";
import { seededRandom } from "../../base/random.ts";
import { mean, median, percentile, standardDeviation, tukeyOutliers } from "../statistics/statistics.ts";

const intervalField = (of: string) =>
  z.tuple([z.number().nonnegative(), z.number().nonnegative()]).nullable().describe(
    `${100 * CONFIDENCE} % bootstrap confidence interval of the ${of}, null with fewer than 3 samples`,
  );

/** Checks a {@linkcode Summary}. */
export const summarySchema = z.strictObject({
  samples: amounts("Raw samples in the order taken, one per run").min(1),
  median: amount("Median"),
  median_ci: intervalField("median"),
  mean: amount("Mean"),
  mean_ci: intervalField("mean"),
  stddev: amount("Standard deviation, with n − 1; 0 for one sample"),
  min: amount("Smallest sample"),
  max: amount("Largest sample"),
  p90: amount("90th percentile, interpolated linearly"),
  p95: amount("95th percentile"),
  p99: amount("99th percentile"),
  outliers: z.strictObject({
    mild: counts("Index of each sample beyond 1.5 interquartile ranges, and not beyond 3"),
    severe: counts("Index of each sample beyond 3 interquartile ranges"),
  }).describe("Samples beyond Tukey's fences, flagged and kept"),
});

/** Samples and their statistics. */
export type Summary = z.infer<typeof summarySchema>;

/**
 * Summarises samples; the same samples and seed always give the same summary.
 *
 * @param seed Seed of the bootstrap.
 * @throws {RangeError} If there are no samples.
 */
export function summarise(samples: readonly number[], seed: number): Summary {
  const random = seededRandom(seed);
  return {
    samples: [...samples],
    median: median(samples),
    median_ci: bootstrapInterval(samples, median, random),
    mean: mean(samples),
    mean_ci: bootstrapInterval(samples, mean, random),
    stddev: standardDeviation(samples),
    min: Math.min(...samples),
    max: Math.max(...samples),
    p90: percentile(samples, 90),
    p95: percentile(samples, 95),
    p99: percentile(samples, 99),
    outliers: tukeyOutliers(samples),
  };
}

/** Returns half the width of the median's interval as a share of the median; infinite where there is no interval. */
export function precision({ median, median_ci }: Pick<Summary, "median" | "median_ci">): number {
  if (median_ci === null || median === 0) return Infinity;
  return (median_ci[1] - median_ci[0]) / 2 / median;
}
