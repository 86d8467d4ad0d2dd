/** The result of a kernel beside that of its CPU reference: the largest difference, and its place. */

/** A result held against its reference. */
export interface Comparison {
  /** The name of what was compared, such as `9 rows`. */
  readonly what: string;
  /** The largest absolute difference; infinite where only one of both is a number. */
  readonly largestError: number;
  /** The largest difference that rounding explains. */
  readonly tolerance: number;
  /** The place of the largest difference, and both values there. */
  readonly at: string;
}

/** Options of {@linkcode compare}. */
export interface CompareOptions {
  /** The name of what is compared. */
  readonly what: string;
  /** The largest difference that rounding explains. */
  readonly tolerance: number;
  /** Columns of a row: Default: all in one row. */
  readonly width?: number;
}

/**
 * Compares element by element. Where NaN is expected, poison that no kernel may touch, it must still be there.
 *
 * @param actual At least as long as `expected`; what is beyond is not looked at.
 */
export function compare(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { what, tolerance, width = expected.length }: CompareOptions,
): Comparison {
  if (actual.length < expected.length) {
    const at = `${actual.length} elements, expected ${expected.length}`;
    return { what, largestError: Infinity, tolerance, at };
  }
  let largestError = 0, index = 0;
  for (let i = 0; i < expected.length && largestError < Infinity; i++) {
    const poisoned = Number.isNaN(expected[i]);
    const difference = poisoned
      ? (Number.isNaN(actual[i]) ? 0 : Infinity)
      : Math.abs(actual[i]! - expected[i]!);
    if (difference <= largestError) continue; // a NaN that isn't expected is not
    largestError = Number.isNaN(difference) ? Infinity : difference;
    index = i;
  }
  const place = `row ${Math.floor(index / width)}, column ${index % width}`;
  return { what, largestError, tolerance, at: `${place}: ${actual[index]}, expected ${expected[index]}` };
}

/** Tells whether rounding explains the difference. */
export function isRight({ largestError, tolerance }: Comparison): boolean {
  return largestError <= tolerance;
}

/** The comparison that comes closest to its tolerance, or exceeds it most. */
export function worst(comparisons: readonly Comparison[]): Comparison {
  const share = ({ largestError, tolerance }: Comparison) =>
    largestError === 0 ? 0 : largestError / Math.max(tolerance, Number.MIN_VALUE);
  return comparisons.reduce((a, b) => share(b) > share(a) ? b : a);
}

/** A comparison in words. */
export function describeComparison({ what, at, largestError, tolerance }: Comparison): string {
  return `${what}: off by ${largestError} (tolerance ${tolerance}) at ${at}`;
}
