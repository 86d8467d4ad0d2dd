/**
 * Storage types of numbers on the GPU. Arithmetic is in float32 for all of them.
 *
 * @module
 */

/** Storage types, from wide to narrow. */
export const DTYPES = ["f32", "f16", "int8"] as const;

/**
 * A storage type: float32, float16 (packed, so that it needs no device feature), or symmetric int8 with float32
 * scales beside it.
 */
export type Dtype = (typeof DTYPES)[number];

/** Bytes of one stored number, scales aside. */
export const DTYPE_BYTES: Readonly<Record<Dtype, number>> = { f32: 4, f16: 2, int8: 1 };
