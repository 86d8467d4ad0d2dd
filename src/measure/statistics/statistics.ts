/** Summary statistics over raw samples. Samples are never changed or dropped here. */

/**
 * Returns the arithmetic mean.
 *
 * @throws {RangeError} If there are no samples.
 */
export function mean(samples: ArrayLike<number>): number {
  requireSamples(samples);
  let sum = 0;
  for (let i = 0; i < samples.length; i++) sum += samples[i]!;
  return sum / samples.length;
}

/**
 * Returns the sample standard deviation, with n − 1 in the denominator; 0 for a single sample.
 *
 * @throws {RangeError} If there are no samples.
 */
export function standardDeviation(samples: readonly number[]): number {
  const centre = mean(samples);
  const squares = samples.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return Math.sqrt(squares / Math.max(1, samples.length - 1));
}

/**
 * Returns the median; of an even number of samples, the mean of the two middle ones.
 *
 * @throws {RangeError} If there are no samples.
 */
export function median(samples: ArrayLike<number>): number {
  return percentile(samples, 50);
}

/**
 * Returns the `p`-th percentile, interpolated linearly between the two nearest ranks. This is method 7 of
 * Hyndman & Fan, "Sample Quantiles in Statistical Packages" (1996), and the default of numpy:
 * https://numpy.org/doc/stable/reference/generated/numpy.percentile.html
 *
 * @param p From 0 (the minimum) to 100 (the maximum).
 * @throws {RangeError} If there are no samples, or `p` is not from 0 to 100.
 */
export function percentile(samples: ArrayLike<number>, p: number): number {
  requireSamples(samples);
  if (!(p >= 0 && p <= 100)) {
    throw new RangeError(`Percentile ${p} is not valid: expected a number from 0 to 100`);
  }
  const sorted = Float64Array.from(samples).sort();
  const rank = (p / 100) * (sorted.length - 1);
  const below = sorted[Math.floor(rank)]!;
  const above = sorted[Math.ceil(rank)]!;
  return below + (above - below) * (rank - Math.floor(rank));
}

/**
 * Returns a 95 % confidence interval of the median from the samples' order alone: the samples whose ranks are 0.98 √n
 * from the middle one (W. J. Conover, "Practical Nonparametric Statistics", section 3.2). Quicker than a bootstrap and as wide.
 *
 * @throws {RangeError} If there are no samples.
 */
export function medianInterval(samples: readonly number[]): [lower: number, upper: number] {
  requireSamples(samples);
  const sorted = Float64Array.from(samples).sort();
  const n = sorted.length;
  const reach = 1.96 * Math.sqrt(n) / 2;
  const lower = Math.max(0, Math.floor(n / 2 - reach));
  return [sorted[lower]!, sorted[n - 1 - lower]!];
}

/** Samples beyond Tukey's fences, by their index. */
interface Outliers {
  /** Beyond 1.5 interquartile ranges outside the quartiles, and not severe. */
  readonly mild: number[];
  /** Beyond 3 interquartile ranges. */
  readonly severe: number[];
}

/**
 * Flags samples by Tukey's fences: J. W. Tukey, "Exploratory Data Analysis" (1977), section 2D.
 *
 * @throws {RangeError} If there are no samples.
 */
export function tukeyOutliers(samples: readonly number[]): Outliers {
  const [q1, q3] = [percentile(samples, 25), percentile(samples, 75)];
  const beyond = (value: number, ranges: number) =>
    value < q1 - ranges * (q3 - q1) || value > q3 + ranges * (q3 - q1);
  const outliers: Outliers = { mild: [], severe: [] };
  samples.forEach((value, index) => {
    if (beyond(value, 3)) outliers.severe.push(index);
    else if (beyond(value, 1.5)) outliers.mild.push(index);
  });
  return outliers;
}

function requireSamples(samples: ArrayLike<number>): void {
  if (samples.length === 0) throw new RangeError("There are no statistics of 0 samples: expected at least 1");
}
