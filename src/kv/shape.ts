/**
 * The dimensions of K and V, and their bytes by formula.
 *
 * @module
 */
import { type Dtype, DTYPE_BYTES } from "../gpu/dtype.ts";
import type { KvUsage } from "./policy.ts";

/** The dimensions that K/V memory depends on. */
export interface KvShape {
  /** Heads of a layer. */
  readonly nHead: number;
  /** Width of K (and of V) per token, in vectors of four: A4. */
  readonly a4: number;
  /** Storage type of K and V. */
  readonly dtype: Dtype;
  /** Sequences that have a row in the address table. */
  readonly nSequences: number;
  /** True if K and V are in textures where those can hold them: see {@linkcode KvLayout}. */
  readonly texels: boolean;
}

/** Returns the bytes of one token's K and V in one layer: 2 · A · bytes and, in int8, 2 · H scales of 4 bytes. */
export function kvRowBytes(shape: Pick<KvShape, "a4" | "nHead" | "dtype">): number {
  const { values, scale } = kvHeadBytes(shape);
  return 2 * shape.nHead * (values + scale);
}

/** Returns the bytes of K, or V, of one head of one token: D · bytes and, in int8, a scale of 4 bytes. */
export function kvHeadBytes(
  { a4, nHead, dtype }: Pick<KvShape, "a4" | "nHead" | "dtype">,
): { readonly values: number; readonly scale: number } {
  return { values: a4 / nHead * 4 * DTYPE_BYTES[dtype], scale: dtype === "int8" ? 4 : 0 };
}

/** Converts a policy's tokens to bytes: what is stored, and what sequences hold, filled or not. */
export function kvBytesOf(
  { capacity, stored, free }: KvUsage,
  tokenBytes: number,
): { readonly usedBytes: number; readonly reservedBytes: number } {
  return { usedBytes: stored * tokenBytes, reservedBytes: (capacity - free) * tokenBytes };
}
