/**
 * Summary statistics over raw samples. Samples are never changed or dropped here.
 *
 * @module
 */

/**
 * Arithmetic mean of `samples`.
 *
 * @throws {RangeError} If there are no samples.
 */
export function mean(samples: readonly number[]): number {
  requireSamples(samples);
  return samples.reduce((sum, value) => sum + value, 0) / samples.length;
}

/**
 * Median of `samples`, the middle of the two middle values for an even number.
 *
 * @throws {RangeError} If there are no samples.
 */
export function median(samples: readonly number[]): number {
  return percentile(samples, 50);
}

/**
 * The `p`-th percentile of `samples`, interpolated linearly between the two nearest ranks. This is method 7 of
 * Hyndman & Fan, "Sample Quantiles in Statistical Packages" (1996), and the default of numpy:
 * https://numpy.org/doc/stable/reference/generated/numpy.percentile.html
 *
 * @param p From 0 (the minimum) to 100 (the maximum).
 * @throws {RangeError} If there are no samples, or `p` is not from 0 to 100.
 */
export function percentile(samples: readonly number[], p: number): number {
  requireSamples(samples);
  if (!(p >= 0 && p <= 100)) throw new RangeError(`Percentile is ${p}, a number from 0 to 100 was wanted`);
  const sorted = samples.toSorted((a, b) => a - b);
  const rank = (p / 100) * (sorted.length - 1);
  const below = sorted[Math.floor(rank)] ?? NaN;
  const above = sorted[Math.ceil(rank)] ?? NaN;
  return below + (above - below) * (rank - Math.floor(rank));
}

function requireSamples(samples: readonly number[]): void {
  if (samples.length === 0) throw new RangeError("Statistics of 0 samples, at least 1 was wanted");
}
