/** The dimensions of K and V, and their bytes by formula. */
import { type KvDtype, kvStorages, partsOf } from "../formats/kv_dtype.ts";
import { formatOf } from "../formats/registry.ts";
import { TEXEL_BYTES } from "../gpu/texels.ts";
import type { KvUsage } from "./policy.ts";

/** The dimensions that K/V memory depends on. */
export interface KvShape {
  /** Heads of a layer. */
  readonly nHead: number;
  /** Width of K (and of V) per token, in vectors of four: A4. */
  readonly a4: number;
  /** Storage types of K and V. */
  readonly dtype: KvDtype;
  /** Sequences that have a row in the address table. */
  readonly nSequences: number;
  /** True if K and V are in textures where those can hold them: see {@linkcode KvLayout}. */
  readonly texels: boolean;
}

/** The dimensions that the bytes of a head depend on. */
type KvHeadShape = Pick<KvShape, "a4" | "nHead" | "dtype">;

/** Bytes of K, or V, of one head of one token: those of D values and of their scale. */
export interface KvHeadBytes {
  /** Bytes of its values. */
  readonly values: number;
  /** Bytes of its scale; 0 where there is none. */
  readonly scale: number;
}

/** Returns the bytes of one token's K and V in one layer: those of 2 · A values and of the scales of their heads. */
export function kvRowBytes(shape: KvHeadShape): number {
  return kvHeadBytes(shape).reduce((sum, { values, scale }) => sum + shape.nHead * (values + scale), 0);
}

/** Returns the bytes of a head of K, and of one of V. */
export function kvHeadBytes({ a4, nHead, dtype }: KvHeadShape): readonly [KvHeadBytes, KvHeadBytes] {
  const [k, v] = partsOf(dtype), storages = kvStorages(dtype), headDim = a4 / nHead * 4;
  return [
    { values: headDim * formatOf(k).bytes, scale: storages[0].scaleBytes },
    { values: headDim * formatOf(v).bytes, scale: storages[1].scaleBytes },
  ];
}

/** Returns whether heads are whole texels, as they have to be in textures. */
export function isWholeTexels(shape: KvHeadShape): boolean {
  return kvHeadBytes(shape).every(({ values }) => values % TEXEL_BYTES === 0);
}

/** Converts a policy's tokens to bytes: what is stored, and what sequences hold, filled or not. */
export function kvBytesOf(
  { capacity, stored, free }: KvUsage,
  tokenBytes: number,
): { readonly usedBytes: number; readonly reservedBytes: number } {
  return { usedBytes: stored * tokenBytes, reservedBytes: (capacity - free) * tokenBytes };
}
