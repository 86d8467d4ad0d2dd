/**
 * By how much two right roundings of a number may differ.
 *
 * @module
 */

/** Returns one step where `exact` lies nearly half-way, which may be rounded either way, and almost nothing elsewhere. */
export function roundingSlack(value: number, exact: number, step: number): number {
  return Math.abs(value - exact) > 0.49 * step ? step * 1.01 : 1e-6 * Math.abs(value);
}
