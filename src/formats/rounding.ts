/**
 * Rounding that storage types have in common: the scale of a head, and by how much two right roundings of a number may
 * differ.
 *
 * @module
 */

/** The magnitude that a head of zeros is said to have, as in `kv_write.wgsl`. */
const TINY = 1e-30;

/** Returns the scale of a head whose largest magnitude is `steps` scales. */
export function headScale(values: Float32Array, steps: number): number {
  return Math.fround(Math.max(TINY, ...values.map(Math.abs)) / steps);
}

/** Returns one step where `exact` lies nearly half-way, which may be rounded either way, and almost nothing elsewhere. */
export function roundingSlack(value: number, exact: number, step: number): number {
  return Math.abs(value - exact) > 0.49 * step ? step * 1.01 : 1e-6 * Math.abs(value);
}
