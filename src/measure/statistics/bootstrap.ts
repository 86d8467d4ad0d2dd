/**
 * Confidence intervals by the bootstrap: the statistic's spread over resamples of the samples, with nothing assumed
 * of their distribution. The percentile method of B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap"
 * (1993), chapter 13.
 */
import { percentile } from "./statistics.ts";

/** An interval, lower end first. */
export type Interval = [lower: number, upper: number];

/** A number that is computed from samples. */
type Statistic = (samples: ArrayLike<number>) => number;

/** The share of intervals that hold the true value. */
export const CONFIDENCE = 0.95;

/** Fewest samples of which an interval is given. */
const MIN_SAMPLES = 3;

const RESAMPLES = 2000;

/**
 * Returns the 95 % confidence interval of `statistic` over `samples`, or null with fewer than 3 samples.
 *
 * @param random Uniform numbers in [0, 1).
 */
export function bootstrapInterval(
  samples: readonly number[],
  statistic: Statistic,
  random: () => number,
): Interval | null {
  if (samples.length < MIN_SAMPLES) return null;
  const resample = resampler(samples, random);
  return middle(Float64Array.from({ length: RESAMPLES }, () => statistic(resample())));
}

/**
 * Returns the 95 % confidence interval of `statistic(b) / statistic(a)`, the two resampled independently, or null
 * where either has fewer than 3 samples.
 */
export function bootstrapRatio(
  a: readonly number[],
  b: readonly number[],
  statistic: Statistic,
  random: () => number,
): Interval | null {
  return bootstrapProduct([[a, b]], statistic, random);
}

/**
 * Returns the 95 % confidence interval of the product of `statistic(b) / statistic(a)` over pairs of samples, all resampled
 * independently, or null where one has fewer than 3 samples.
 */
export function bootstrapProduct(
  pairs: readonly (readonly [a: readonly number[], b: readonly number[]])[],
  statistic: Statistic,
  random: () => number,
): Interval | null {
  if (pairs.flat().some(({ length }) => length < MIN_SAMPLES)) return null;
  const resamplers = pairs.map(([a, b]) => [resampler(a, random), resampler(b, random)] as const);
  const product = () => resamplers.reduce((all, [a, b]) => all * (statistic(b()) / statistic(a())), 1);
  return middle(Float64Array.from({ length: RESAMPLES }, product));
}

/** Returns a function that draws a resample; each call overwrites the last one's. */
function resampler(samples: readonly number[], random: () => number): () => Float64Array {
  const drawn = new Float64Array(samples.length);
  return () => {
    for (let i = 0; i < drawn.length; i++) drawn[i] = samples[Math.floor(random() * samples.length)]!;
    return drawn;
  };
}

function middle(values: Float64Array): Interval {
  const tail = 100 * (1 - CONFIDENCE) / 2;
  return [percentile(values, tail), percentile(values, 100 - tail)];
}
