/**
 * The dimensions of K and V, and their bytes by formula.
 *
 * @module
 */
import { type Dtype, formatOf, kvStorage } from "../formats/registry.ts";
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

/** Returns the bytes of one token's K and V in one layer: those of 2 · A values and of the scales of 2 · H heads. */
export function kvRowBytes(shape: Pick<KvShape, "a4" | "nHead" | "dtype">): number {
  const { values, scale } = kvHeadBytes(shape);
  return 2 * shape.nHead * (values + scale);
}

/** Returns the bytes of K, or V, of one head of one token: those of D values and of their scale. */
export function kvHeadBytes(
  { a4, nHead, dtype }: Pick<KvShape, "a4" | "nHead" | "dtype">,
): { readonly values: number; readonly scale: number } {
  return { values: a4 / nHead * 4 * formatOf(dtype).bytes, scale: kvStorage(dtype).scaleBytes };
}

/** Converts a policy's tokens to bytes: what is stored, and what sequences hold, filled or not. */
export function kvBytesOf(
  { capacity, stored, free }: KvUsage,
  tokenBytes: number,
): { readonly usedBytes: number; readonly reservedBytes: number } {
  return { usedBytes: stored * tokenBytes, reservedBytes: (capacity - free) * tokenBytes };
}
