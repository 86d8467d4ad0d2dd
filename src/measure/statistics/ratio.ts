/**
 * How two lists of samples relate: the ratio of their medians with an interval, and whether that is a difference.
 *
 * @module
 */
import { bootstrapRatio, type Interval } from "./bootstrap.ts";
import { mannWhitney } from "./mann_whitney.ts";
import { seededRandom } from "../../base/random.ts";
import { median } from "./statistics.ts";

/** A ratio of medians. */
export interface Ratio {
  /** median(b) / median(a). */
  readonly ratio: number;
  /** Its 95 % confidence interval, null with fewer than 3 samples on a side. */
  readonly interval: Interval | null;
  /** Two-sided p of the Mann-Whitney U test. */
  readonly p: number;
  /** Whether there are runs enough for any verdict. */
  readonly enough: boolean;
}

/** What a ratio of times says. */
export type Verdict = "faster" | "slower" | "no difference" | "too few runs";

/** A test with a larger p than this shows no difference, whatever the interval. */
const MAX_P = 0.05;
/** With fewer samples on both sides even a clean split has a p of 0.1: 2 / (6 over 3). */
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
 * Whether b is faster or slower than a by more than `threshold`: the whole interval of the ratio of times must lie
 * beyond it, and the test must agree.
 *
 * @param threshold As a share: 0.05 is 5 %, so that a ratio above 1.05 is slower, and below 1 / 1.05 faster.
 */
export function verdictOf({ interval, p, enough }: Ratio, threshold: number): Verdict {
  if (interval === null || !enough) return "too few runs";
  if (p > MAX_P) return "no difference";
  if (interval[0] > 1 + threshold) return "slower";
  if (interval[1] < 1 / (1 + threshold)) return "faster";
  return "no difference";
}
