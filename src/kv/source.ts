/** K and V as kernels see them: what they are joined with, and what they bind. */
import type { BindLayout } from "../gpu/bind_layout.ts";
import type { WgslFile } from "../gpu/wgsl.ts";
import type { KvHeadBytes } from "./shape.ts";

/** One of something for kernels that read K and V, and one for those that write them. */
export interface KvSides<T> {
  /** For attention. */
  readonly read: T;
  /** For kernels that store them. */
  readonly write: T;
}

/** The memory that attention reads where it is not that which tokens are stored in. */
export interface ReadSlots {
  /** WGSL that says where a token's slot is in it. */
  readonly files: readonly WgslFile[];
  /** Access to the table that it uses. */
  readonly table: "uniform" | "read";
}

/** A strategy's part in the kernels that touch K and V. */
export interface KvSource {
  /** The files that say which slots hold a sequence's K and V, what holds the slots and how they are stored. */
  readonly files: KvSides<readonly WgslFile[]>;
  /** The layouts of `@group(2)`. */
  readonly layouts: KvSides<BindLayout>;
  /** Overrides that the files declare, apart from the model's. */
  readonly overrides: KvSides<Readonly<Record<string, number>>>;
  /** Bytes of a head of K, and of one of V. */
  readonly headBytes: readonly [KvHeadBytes, KvHeadBytes];
  /** True for K, and for V, if it is stored rotated: see `rotate.wgsl`. */
  readonly rotates: readonly [boolean, boolean];
  /** True if the product that makes K and V may store them in passing, vector by vector. */
  readonly inPassing: boolean;
}

/** A layer's K and V as `@group(2)`. */
export type KvGroups = KvSides<GPUBindGroup>;
