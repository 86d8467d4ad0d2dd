/**
 * The declaration of a storage type: its size, how weights and K/V are packed and unpacked, and by how much that rounds.
 * Arithmetic is in float32 whatever the storage, unless a type rounds the inputs of products.
 */
import type { WgslFile } from "../gpu/wgsl.ts";
import type { MatrixSource, PackedShape } from "./tiles.ts";

/** A matrix as the kernels read it. */
export interface Packed {
  /** Tiles of 16 elements, in the order of {@linkcode eachElement}, and scales that lie among them. */
  readonly tiles: ArrayBufferView<ArrayBuffer>;
  /** Scales, which the format's WGSL binds as `scale`. Default: none. */
  readonly scale?: ArrayBufferView<ArrayBuffer>;
}

/** A rounding of the inputs of products, which are made in whole numbers then. */
export interface InputRounding {
  /** Defines what `input_int8.wgsl` does, for the tiles of its type. */
  readonly wgsl: WgslFile;
  /** Inputs of a row that share a scale, a multiple of four. */
  readonly group: number;
  /** Returns rows of `width` inputs as products see them: the CPU's rounding. */
  rounded(values: ArrayLike<number>, width: number): Float64Array;
}

/** A storage type of weight matrices. */
export interface WeightStorage {
  /**
   * Defines `TILE_VECTORS`, the vectors of 16 bytes of a tile, `weight_fetch(i)`, which reads them as a `StoredTile` with
   * `weight_load()`, `weight_decode(tile)`, and `weight_scale(n4)`, by which a finished sum of output tile n4 is multiplied;
   * it may read `@group(1) @binding(4)`. A format whose scales change within a sum has them among its tiles, applies them in
   * `weight_decode()` and returns 1 from `weight_scale()`.
   */
  readonly wgsl: WgslFile;
  /** Defines what `linear_four.wgsl` does, where four tiles are read faster than one by one. Default: that file. */
  readonly four?: WgslFile;
  /** Bytes of a tile of 16 elements, with the scales among tiles. Default: those of its elements. */
  readonly tileBytes?: number;
  /** Tiles of inputs that are packed together, of which a matrix has whole lots. Default: 1. */
  readonly together?: number;
  /** Returns the bytes of a matrix's scales that are bound as `scale`; 0 where there are none. */
  scaleBytes(shape: PackedShape): number;
  /**
   * Packs a matrix, or whole groups of its output tiles.
   *
   * @throws {KvbenchError} If an element can't be stored.
   */
  pack(source: MatrixSource, tileGroup: number): Packed;
  /** Returns `source.values` as kernels read them back: the CPU's rounding. */
  stored(source: MatrixSource): Float32Array<ArrayBuffer>;
  /** The largest error of one element below 1 that is read back, beyond {@linkcode WeightStorage.stored}. */
  readonly tolerance: number;
  /** The rounding of what is multiplied by the weights. Default: it stays in float32. */
  readonly inputs?: InputRounding;
}

/** A storage type of K and V. */
export interface KvStorage {
  /**
   * Defines `kv_encode()`, `kv_decode()` and the constants that `kv_f32.wgsl` has. All its names begin with `kv_` or `KV_`,
   * since it is joined twice where K and V have two types.
   */
  readonly wgsl: WgslFile;
  /** Words of a unit: its `KV_WORDS`. */
  readonly words: 1 | 2 | 4;
  /** Values of a unit, of which a head has whole ones: four times its `KV_VECTORS`. Default: 4. */
  readonly unitValues?: number;
  /** True if each head is rotated before it is stored, by a Hadamard matrix of its size. Default: false. */
  readonly rotates?: boolean;
  /** Bytes of the scale of one head of one token; 0 where there is none. */
  readonly scaleBytes: number;
  /** Stores a head's values from byte `at` on, little-endian, and returns their scale. */
  encode(values: Float32Array, to: DataView, at: number): number;
  /** Reads value `i` of the head that begins at byte `at`. */
  decode(from: DataView, at: number, i: number, scale: number): number;
  /** Returns by how much another rounding of `exact` may differ from `value`, which is what was stored. */
  slack(value: number, exact: number): number;
}

/** A storage type. */
export interface StorageFormat {
  /** Its name in options and results, such as `int8`. */
  readonly name: string;
  /** Its name in sentences, such as `float16`. */
  readonly label: string;
  /** Bytes of an element, scales aside; a fraction where several share one. */
  readonly bytes: number;
  /** True if a float32 is stored bit by bit. */
  readonly exact: boolean;
  /** Storage of weight matrices. Default: it has none. */
  readonly weights?: WeightStorage;
  /** Storage of K and V. Default: it has none. */
  readonly kv?: KvStorage;
}
