/**
 * Values that are not finite: the search for them on the host, and the token id by which kernels report them.
 */

/** The id that `argmax.wgsl` and `sample.wgsl` choose if a logit is infinite or NaN; no token has it. */
export const NOT_FINITE = 0xffffffff;

/** Returns the index of the first value that is infinite or NaN; undefined if all are finite. */
export function firstNotFinite(values: Float32Array): number | undefined {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * 0; // 0, or NaN from the first infinity or NaN on
  return sum === 0 ? undefined : values.findIndex((value) => !Number.isFinite(value));
}
