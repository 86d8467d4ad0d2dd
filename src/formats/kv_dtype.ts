/**
 * The storage types of K and of V, which may be two: by name they are one, such as `int8`, or K's and V's, such as
 * `int8/f16`.
 */
import { UsageError } from "../base/errors.ts";
import { z } from "../base/zod.ts";
import type { KvStorage } from "./format.ts";
import { type Dtype, formatOf, KV_DTYPES, kvStorage } from "./registry.ts";

/** The name of the storage types of K and V: that of both, or K's, a slash, and V's. */
export type KvDtype = Dtype | `${string}/${string}`;

const SEPARATOR = "/";

/** Returns the name of two types. */
export function kvDtypeOf(k: Dtype, v: Dtype): KvDtype {
  return k === v ? k : `${k}${SEPARATOR}${v}`;
}

/** Returns K's type and V's. */
export function partsOf(dtype: KvDtype): readonly [k: Dtype, v: Dtype] {
  const [k, v = k] = dtype.split(SEPARATOR);
  return [k!, v!];
}

/** Returns how K and V are kept, in this order. */
export function kvStorages(dtype: KvDtype): readonly [k: KvStorage, v: KvStorage] {
  const [k, v] = partsOf(dtype);
  return [kvStorage(k), kvStorage(v)];
}

/** Returns whether both types store float32 bit by bit. */
export function isExactKv(dtype: KvDtype): boolean {
  return partsOf(dtype).every((part) => formatOf(part).exact);
}

/** Returns whether K or V is stored rotated. */
export function rotatesAny(dtype: KvDtype): boolean {
  return kvStorages(dtype).some(({ rotates }) => rotates);
}

/**
 * Returns whether each vector of four values is stored without the others of its head: as a unit, which is a whole texel
 * where K and V are in textures.
 */
export function isStoredByVector(dtype: KvDtype, { texels }: { readonly texels: boolean }): boolean {
  return kvStorages(dtype).every(({ scaleBytes, rotates = false, unitValues = 4, words }) =>
    scaleBytes === 0 && !rotates && unitValues === 4 && (!texels || words === 4)
  );
}

/** Returns whether a text is the name of types that K and V can have. */
export function isKvDtype(text: string): boolean {
  const [k, v] = partsOf(text);
  return KV_DTYPES.includes(k) && KV_DTYPES.includes(v) && kvDtypeOf(k, v) === text;
}

/** Checks names of types of K and V, as they are registered when a file is read. */
export const kvDtypeSchema: z.ZodType<KvDtype> = z.string().refine(isKvDtype, {
  error: () =>
    `Invalid option: expected one of ${KV_DTYPES.map((name) => JSON.stringify(name)).join("|")}, or two`,
});

/** Lists each type for K and V, and pairs of neighbours, so that each is K's and V's beside another one. */
export function everyKvDtype(): KvDtype[] {
  const next = (i: number) => KV_DTYPES[(i + 1) % KV_DTYPES.length]!;
  return [...KV_DTYPES, ...KV_DTYPES.map((dtype, i) => kvDtypeOf(dtype, next(i)))];
}

/**
 * Checks that the types can store heads of a size.
 *
 * @throws {UsageError} Naming the size.
 */
export function assertHeadFits(dtype: KvDtype, headDim: number): void {
  for (const part of partsOf(dtype)) {
    if (holdsHead(part, headDim)) continue;
    const { rotates, unitValues = 4 } = kvStorage(part);
    const expected = rotates ? `a power of two from ${unitValues} on` : `a multiple of ${unitValues}`;
    throw new UsageError(
      `K/V type ${part} can't store heads of ${headDim} values: expected ${expected}, or another type`,
    );
  }
}

/** Tells whether a type can store heads of a size, which are padded to whole vectors of four. */
export function holdsHead(dtype: Dtype, headDim: number): boolean {
  const { rotates, unitValues = 4 } = kvStorage(dtype), padded = Math.ceil(headDim / 4) * 4;
  return padded % unitValues === 0 && !(rotates && (headDim & (headDim - 1)) !== 0);
}
