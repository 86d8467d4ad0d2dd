/**
 * Packing a weight matrix into the 4 × 4 tiles that the linear kernels read, in any storage type. Host only.
 *
 * @module
 */
import { KvbenchError } from "../base/errors.ts";
import { type Dtype, DTYPE_BYTES } from "../gpu/dtype.ts";

/** A matrix [K, N] in a flat array, with strides in elements and, where padding is needed, index maps. */
export interface MatrixSource {
  /** The elements. */
  readonly values: Float32Array;
  /** Between neighbours in k. */
  readonly strideK: number;
  /** Elements between neighbours in n. */
  readonly strideN: number;
  /** [K4 * 4] source index of each padded k, or -1 for padding. */
  readonly k: Int32Array;
  /** [N4 * 4] source index of each padded n, or -1 for padding. */
  readonly n: Int32Array;
}

/** How tiles are stored. */
export interface PackOptions {
  /** Output tiles that lie together; see `linear.wgsl`. */
  readonly tileGroup: number;
  /** The storage type; see `weight_f32.wgsl` and its siblings. */
  readonly dtype: Dtype;
}

/** A matrix as the kernels read it. */
export interface Packed {
  /** [n4 / tileGroup rounded up, k4, tileGroup] tiles of 16 elements. */
  readonly tiles: Float32Array<ArrayBuffer> | Float16Array<ArrayBuffer> | Int8Array<ArrayBuffer>;
  /** [n4 * 4] scale of each output channel; only in int8. */
  readonly scale?: Float32Array<ArrayBuffer>;
}

/** Tiles of a packed matrix: whole groups of `group` output tiles, the last one padded with zeros. */
export function packedTiles(k4: number, n4: number, group: number): number {
  return Math.ceil(n4 / group) * group * k4;
}

/** Bytes of a packed matrix. */
export function packedBytes(
  k4: number,
  n4: number,
  { tileGroup, dtype }: PackOptions,
): number {
  return packedTiles(k4, n4, tileGroup) * 16 * DTYPE_BYTES[dtype];
}

/**
 * Packs all of a matrix as `linear.wgsl` and the file of the storage type describe.
 *
 * @throws {KvbenchError} If an element is too large for float16.
 */
export function packTiles(source: MatrixSource, { tileGroup, dtype }: PackOptions): Packed {
  const n4 = source.n.length / 4;
  const elements = packedTiles(source.k.length / 4, n4, tileGroup) * 16;
  switch (dtype) {
    case "f32": {
      const tiles = new Float32Array(elements);
      eachElement(source, tileGroup, (tile, j, i, value) => tiles[tile * 16 + j * 4 + i] = value);
      return { tiles };
    }
    case "f16": {
      const tiles = new Float16Array(elements);
      eachElement(source, tileGroup, (tile, j, i, value) => {
        if (Math.abs(value) > LARGEST_F16) throw tooLarge(value);
        tiles[tile * 16 + j * 4 + i] = value;
      });
      return { tiles };
    }
    case "int8": {
      const tiles = new Int8Array(elements);
      const scale = channelScales(source);
      eachElement(source, tileGroup, (tile, j, i, value, n) => {
        tiles[tile * 16 + i * 4 + j] = scale[n]! > 0 ? Math.round(value / scale[n]!) : 0;
      });
      return { tiles, scale };
    }
  }
}

/** 2^15 · (2 − 2^-10) and what still rounds to it. */
const LARGEST_F16 = 65519;

function tooLarge(value: number): KvbenchError {
  return new KvbenchError(`An element is ${value}: float16 holds at most 65504, wanted --weights-dtype f32`);
}

/** Below it float32 loses digits, and GPUs may read 0. */
const LEAST_NORMAL = 2 ** -126;

/** The largest magnitude of each padded output channel over 127; 0, for a channel of zeros, where that is subnormal. */
function channelScales({ values, strideK, strideN, k, n }: MatrixSource): Float32Array<ArrayBuffer> {
  const largest = new Float32Array(n.length);
  for (const fromK of k) {
    if (fromK < 0) continue;
    for (let index = 0; index < n.length; index++) {
      if (n[index]! < 0) continue;
      const value = Math.abs(values[n[index]! * strideN + fromK * strideK]!);
      if (value > largest[index]!) largest[index] = value;
    }
  }
  return largest.map((value) => value / 127 < LEAST_NORMAL ? 0 : value / 127);
}

/** Calls `put` for each element with its tile, its input j and output i in there, its value, and its n. */
function eachElement(
  { values, k, n, strideK, strideN }: MatrixSource,
  group: number,
  put: (tile: number, j: number, i: number, value: number, n: number) => void,
): void {
  const k4 = k.length / 4;
  for (let tileN = 0; tileN < n.length / 4; tileN++) {
    const first = Math.floor(tileN / group) * group * k4 + tileN % group;
    for (let i = 0; i < 4; i++) {
      const fromN = n[tileN * 4 + i]!;
      if (fromN < 0) continue;
      for (let index = 0; index < k.length; index++) {
        const fromK = k[index]!;
        if (fromK < 0) continue;
        put(
          first + (index >> 2) * group,
          index & 3,
          i,
          values[fromN * strideN + fromK * strideK]!,
          tileN * 4 + i,
        );
      }
    }
  }
}

/** The map of a width that is padded at its end only. */
export function paddedEnd(size: number, size4: number): Int32Array {
  return Int32Array.from({ length: size4 * 4 }, (_, i) => i < size ? i : -1);
}

/** The map of `parts` × `nHead` heads of `headDim`, each padded to `headDim4 * 4`. */
export function paddedHeads(parts: number, nHead: number, headDim: number, headDim4: number): Int32Array {
  const width = headDim4 * 4;
  return Int32Array.from({ length: parts * nHead * width }, (_, i) => {
    const d = i % width;
    return d < headDim ? Math.floor(i / width) * headDim + d : -1;
  });
}

/** Picks `values[map[i]]`, with zero for padding. */
export function pick(values: Float32Array, map: Int32Array, offset = 0): Float32Array<ArrayBuffer> {
  return Float32Array.from(map, (from) => from < 0 ? 0 : values[offset + from]!);
}
