/**
 * The relation of two lists of samples: the ratio of their medians with an interval, and a verdict on it.
 */
import { bootstrapRatio } from "./bootstrap.ts";
import { mannWhitney } from "./mann_whitney.ts";
import { seededRandom } from "../../base/random.ts";
import { median } from "./statistics.ts";

/** A ratio of medians. */
export interface Ratio {
  /** median(b) / median(a). */
  readonly ratio: number;
  /** Its 95 % confidence interval, null with fewer than 3 samples on a side. */
  readonly interval: [lower: number, upper: number] | null;
  /** Two-sided p-value of the Mann-Whitney U test. */
  readonly p: number;
  /** False where there are too few samples for a verdict. */
  readonly enough: boolean;
}

/** The verdict on a ratio of times. */
export type Verdict = "faster" | "slower" | "no difference" | "too few runs";

/** Largest p-value with which a difference is shown. */
const MAX_P = 0.05;
/** Fewest samples on a side for a verdict: with 3, even a clean split has a p-value of 0.1, 2 / (6 over 3). */
const MIN_SAMPLES = 4;

/**
 * Relates `b` to `a`.
 *
 * @throws {RangeError} If a side has no samples.
 */
export function ratioOf(a: readonly number[], b: readonly number[], seed = 0): Ratio {
  return {
    ratio: median(b) / median(a),
    interval: bootstrapRatio(a, b, median, seededRandom(seed)),
    p: mannWhitney(a, b).p,
    enough: Math.min(a.length, b.length) >= MIN_SAMPLES,
  };
}

/**
 * Judges whether b is faster or slower than a by more than `threshold`: the whole interval of the ratio must lie beyond
 * it, and the test must agree.
 *
 * @param threshold A share: with 0.05, a ratio above 1.05 is slower, and one below 1 / 1.05 faster.
 */
export function verdictOf({ interval, p, enough }: Ratio, threshold: number): Verdict {
  if (interval === null || !enough) return "too few runs";
  if (p > MAX_P) return "no difference";
  if (interval[0] > 1 + threshold) return "slower";
  if (interval[1] < 1 / (1 + threshold)) return "faster";
  return "no difference";
}
