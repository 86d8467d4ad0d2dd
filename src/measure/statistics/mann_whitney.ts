/**
 * The Mann-Whitney U test: whether samples of B tend to be larger or smaller than samples of A, whatever their
 * distributions. H. B. Mann and D. R. Whitney, "On a Test of Whether one of Two Random Variables is Stochastically
 * Larger than the Other" (1947).
 *
 * @module
 */

interface MannWhitney {
  /** Pairs (a, b) with a > b, ties counted half. */
  readonly u: number;
  /** Two-sided probability of a U at least as far from its mean, if both came from one distribution. */
  readonly p: number;
}

/** Largest number of samples on a side for which the distribution of U is enumerated; beyond, it is near normal. */
const MAX_EXACT = 20;

/**
 * Tests `a` against `b`. Exact for up to 20 samples a side without ties; otherwise the normal approximation with
 * corrections for ties and continuity, as in scipy.stats.mannwhitneyu.
 *
 * @throws {RangeError} If a side has no samples.
 */
export function mannWhitney(a: readonly number[], b: readonly number[]): MannWhitney {
  const [n, m] = [a.length, b.length];
  if (n === 0 || m === 0) throw new RangeError("Cannot test 0 samples: expected at least 1");
  let u = 0;
  for (const x of a) for (const y of b) u += x > y ? 1 : x === y ? 0.5 : 0;
  const distance = Math.abs(u - n * m / 2);
  const ties = tieSizes([...a, ...b]);
  if (ties.length === 0 && Math.max(n, m) <= MAX_EXACT) {
    const counts = countsOfU(n, m);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const asFar = counts.reduce(
      (sum, count, k) => Math.abs(k - n * m / 2) >= distance ? sum + count : sum,
      0,
    );
    return { u, p: Math.min(1, asFar / total) };
  }
  const all = n + m;
  const tied = ties.reduce((sum, t) => sum + t ** 3 - t, 0) / (all * (all - 1));
  const variance = n * m / 12 * (all + 1 - tied);
  if (variance === 0) return { u, p: 1 };
  return { u, p: Math.min(1, twoSided(Math.max(0, distance - 0.5) / Math.sqrt(variance))) };
}

/** Returns the sizes of ties. */
function tieSizes(values: readonly number[]): number[] {
  const sizes = new Map<number, number>();
  for (const value of values) sizes.set(value, (sizes.get(value) ?? 0) + 1);
  return [...sizes.values()].filter((size) => size > 1);
}

/** Counts the orders of n and m distinct values by their U, by the recurrence of the paper's equation (1). */
function countsOfU(n: number, m: number): number[] {
  let previous = Array.from({ length: m + 1 }, () => [1]); // with no value of A, U is 0
  for (let i = 1; i <= n; i++) {
    const current: number[][] = [[1]];
    for (let j = 1; j <= m; j++) {
      // The largest value is of A, above all j of B, or of B, above none.
      const counts = Array<number>(i * j + 1).fill(0);
      previous[j]!.forEach((count, k) => counts[k + j]! += count);
      current[j - 1]!.forEach((count, k) => counts[k]! += count);
      current.push(counts);
    }
    previous = current;
  }
  return previous[m]!;
}

/** Returns P(|Z| ≥ z) of a standard normal, within 1.2e-7: erfc by W. H. Press et al., "Numerical Recipes", section 6.2. */
function twoSided(z: number): number {
  const x = z / Math.SQRT2;
  const t = 1 / (1 + 0.5 * x);
  // deno-fmt-ignore -- ten coefficients of one polynomial
  const terms = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
    0.17087277,
  ];
  return t * Math.exp(-x * x + terms.reduceRight((sum, term) => sum * t + term, 0));
}
