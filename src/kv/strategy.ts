/**
 * What a KV strategy is: it decides which tokens must be computed, where their K and V live, and what that costs.
 * The model, the kernels and the engine are the same for all of them.
 *
 * @module
 */
import type { BindLayout } from "../gpu/bind_layout.ts";
import { type Dtype, formatOf, kvStorage } from "../formats/registry.ts";
import type { WgslFile } from "../gpu/wgsl.ts";

/** The decode strategies, in the order of reports. */
export const STRATEGY_NAMES = ["no-cache", "kv-cache", "paged"] as const;
/** A decode strategy. */
export type StrategyName = (typeof STRATEGY_NAMES)[number];

/** How a contiguous cache gets its memory: all at once, or token by token with copies. */
export const GROWTHS = ["static", "dynamic"] as const;
/** How a contiguous cache gets its memory. */
export type Growth = (typeof GROWTHS)[number];

/** What kernels that read K and V are joined with, or those that write them. */
export interface KvSides<T> {
  /** For attention. */
  readonly read: T;
  /** For `kv_write.wgsl`. */
  readonly write: T;
}

/** What a strategy adds to the kernels that touch K and V. */
export interface KvSource {
  /** Define `kv_slot()`, and where K and V are and how they are stored, in `@group(2)`. */
  readonly files: KvSides<readonly WgslFile[]>;
  /** The layouts of `@group(2)`. */
  readonly layouts: KvSides<BindLayout>;
  /** Overrides that the files declare, apart from the model's. */
  readonly overrides: Readonly<Record<string, number>>;
}

/** A layer's K and V as `@group(2)`. */
export type KvGroups = KvSides<GPUBindGroup>;

/** What K and V take, in bytes. What is reserved and not used is waste. */
export interface KvUsage {
  /** Tokens whose K and V are stored, over all sequences. */
  readonly tokens: number;
  /** Layers whose K and V are kept at once. */
  readonly layersKept: number;
  /** Bytes of stored tokens: layersKept · {@link kvRowBytes} · tokens. */
  readonly usedBytes: number;
  /** Bytes that belong to sequences, filled or not. */
  readonly reservedBytes: number;
  /** Bytes of GPU buffer that hold K and V, whether a sequence owns them or not. */
  readonly allocatedBytes: number;
  /** Bytes that lie between reservations and fit no request. */
  readonly externalBytes: number;
}

/** Keeps K and V for a fixed number of sequences. */
export interface KvStrategy {
  /** Which strategy this is. */
  readonly name: StrategyName;
  /** How K and V are stored. */
  readonly dtype: Dtype;
  /** What the kernels that touch K and V are joined with. */
  readonly source: KvSource;
  /** How many leading tokens of a sequence need not be computed again. */
  cached(sequence: number): number;
  /**
   * Makes room for the K and V of a sequence's first `length` tokens.
   *
   * @param submit Called before memory that earlier recorded steps use is given up.
   * @throws {KvbenchError} If there is no room.
   */
  reserve(sequence: number, length: number, submit: () => void): void;
  /** Notes that a sequence's first `length` tokens are stored, once the step that stores them is recorded. */
  commit(sequence: number, length: number): void;
  /** What holds a layer's K and V. Changes only when `reserve` has moved them. */
  bindGroups(layer: number): KvGroups;
  /** What K and V take now. */
  usage(): KvUsage;
  /** Forgets all sequences; memory that was reserved up front stays. */
  reset(): void;
  /** Frees everything. */
  dispose(): void;
}

/** What every strategy needs to know. */
export interface KvShape {
  /** Layers of the model. */
  readonly nLayer: number;
  /** Heads of a layer. */
  readonly nHead: number;
  /** Width of K (and of V) per token, in vectors of four: A4. */
  readonly a4: number;
  /** How K and V are stored. */
  readonly dtype: Dtype;
  /** Longest context, in tokens. */
  readonly nCtx: number;
  /** Sequences that are kept at once. */
  readonly nSequences: number;
  /** Whether K and V are in textures where those can hold them: see {@linkcode KvLayout}. */
  readonly texels: boolean;
}

/** Counts the bytes of one token's K and V in one layer: those of 2 · A values and of the scales of 2 · H heads. */
export function kvRowBytes(shape: Pick<KvShape, "a4" | "nHead" | "dtype">): number {
  const { values, scale } = kvHeadBytes(shape);
  return 2 * shape.nHead * (values + scale);
}

/** Counts the bytes of K, or V, of one head of one token: those of D values and of their scale. */
export function kvHeadBytes(
  { a4, nHead, dtype }: Pick<KvShape, "a4" | "nHead" | "dtype">,
): { readonly values: number; readonly scale: number } {
  return { values: a4 / nHead * 4 * formatOf(dtype).bytes, scale: kvStorage(dtype).scaleBytes };
}
