/**
 * Numbers that are not finite: finding them on the host, and the sign by which kernels that choose a token report them.
 *
 * @module
 */

/** The id that `argmax.wgsl` and `sample.wgsl` choose where a logit is infinite or NaN. It is no token's. */
export const NOT_FINITE = 0xffffffff;

/** Index of the first value that is infinite or NaN, or undefined where all are finite. */
export function firstNotFinite(values: Float32Array): number | undefined {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * 0; // 0, or NaN from the first infinity or NaN on
  return sum === 0 ? undefined : values.findIndex((value) => !Number.isFinite(value));
}
