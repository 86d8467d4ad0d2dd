/**
 * The packing of a weight matrix into the tiles that the linear kernels read, and the index maps of padded widths. Host
 * only.
 */
import type { Packed } from "../formats/format.ts";
import { type Dtype, formatOf, weightStorage } from "../formats/registry.ts";
import { type MatrixSource, packedTiles } from "../formats/tiles.ts";

/** Layout of packed tiles. */
export interface PackOptions {
  /** Output tiles that lie together; see `linear.wgsl`. */
  readonly tileGroup: number;
  /** True if the vectors of eight tiles lie together; see `order_by_vector.wgsl`. Default: each tile's do. */
  readonly byVector?: boolean;
  /** The storage type. */
  readonly dtype: Dtype;
}

/** Tiles whose vectors lie together, where they do. */
const TOGETHER = 8;
const VECTOR_BYTES = 16;

/** Counts the vectors of a tile: its 16 elements, or one where a type has fewer bytes than that. */
export function tileVectors(dtype: Dtype): number {
  const { bytes } = formatOf(dtype);
  return Number.isInteger(bytes) ? bytes : 1;
}

/** Rounds an input width in tiles up to that of a packed matrix. */
export function storedK4(k4: number, dtype: Dtype): number {
  const { together = 1 } = weightStorage(dtype);
  return Math.ceil(k4 / together) * together;
}

/** Returns the bytes of an element of a packed matrix, with its share of the scales that lie among tiles. */
export function elementBytes(dtype: Dtype): number {
  return (weightStorage(dtype).tileBytes ?? 16 * formatOf(dtype).bytes) / 16;
}

/** Counts the output tiles that can be packed apart from others: whole groups, and all of what lies together. */
export function leastTiles({ tileGroup, byVector }: Pick<PackOptions, "tileGroup" | "byVector">): number {
  return byVector ? Math.max(tileGroup, TOGETHER) : tileGroup;
}

/** Counts the bytes of a packed matrix, scales apart from it aside: whole vectors of 16. */
export function packedBytes(k4: number, n4: number, { tileGroup, byVector, dtype }: PackOptions): number {
  const tiles = packedTiles({ k4: storedK4(k4, dtype), n4, tileGroup });
  const vectors = Math.ceil(tiles * elementBytes(dtype));
  const together = byVector ? TOGETHER * tileVectors(dtype) : 1;
  return Math.ceil(vectors / together) * together * VECTOR_BYTES;
}

/** Counts the bytes of a packed matrix's scales that are apart from it. */
export function scaleBytes(k4: number, n4: number, { tileGroup, dtype }: PackOptions): number {
  return weightStorage(dtype).scaleBytes({ k4, n4, tileGroup });
}

/**
 * Packs a matrix, or whole groups of its output tiles.
 *
 * @throws {KvbenchError} If an element can't be stored.
 */
export function packTiles(source: MatrixSource, { tileGroup, byVector, dtype }: PackOptions): Packed {
  const packed = weightStorage(dtype).pack(source, tileGroup);
  const vectors = tileVectors(dtype);
  if (!byVector || vectors === 1) return packed; // a tile's only vector is where it was
  return { ...packed, tiles: vectorsTogether(packed.tiles, vectors) };
}

/** Returns the vector of a tile among all vectors, where those of eight tiles lie together. */
export function vectorTogether(tile: number, vector: number, vectors: number): number {
  return Math.floor(tile / TOGETHER) * TOGETHER * vectors + vector * TOGETHER + tile % TOGETHER;
}

/** Puts the vectors of eight tiles in turn together, the last ones among zeros. */
function vectorsTogether(tiles: ArrayBufferView<ArrayBuffer>, vectors: number): Uint8Array<ArrayBuffer> {
  const from = new Uint8Array(tiles.buffer, tiles.byteOffset, tiles.byteLength);
  const count = Math.ceil(from.length / VECTOR_BYTES / vectors);
  const to = new Uint8Array(Math.ceil(count / TOGETHER) * TOGETHER * vectors * VECTOR_BYTES);
  for (let tile = 0; tile < count; tile++) {
    for (let vector = 0; vector < vectors; vector++) {
      const at = (tile * vectors + vector) * VECTOR_BYTES;
      to.set(from.subarray(at, at + VECTOR_BYTES), vectorTogether(tile, vector, vectors) * VECTOR_BYTES);
    }
  }
  return to;
}

/** Maps a width that is padded at its end only. */
export function paddedEnd(size: number, size4: number): Int32Array {
  return Int32Array.from({ length: size4 * 4 }, (_, i) => i < size ? i : -1);
}

/** Maps `parts` × `nHead` heads of `headDim`, each padded to `headDim4 * 4`. */
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
