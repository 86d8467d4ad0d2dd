/**
 * How a weight matrix is packed into the tiles that the linear kernels read, and the index maps of padded widths. Host
 * only.
 *
 * @module
 */
import type { Packed } from "../formats/format.ts";
import { type Dtype, formatOf, weightStorage } from "../formats/registry.ts";
import { type MatrixSource, packedTiles } from "../formats/tiles.ts";

/** How tiles are stored. */
export interface PackOptions {
  /** Output tiles that lie together; see `linear.wgsl`. */
  readonly tileGroup: number;
  /** The storage type. */
  readonly dtype: Dtype;
}

/** Counts the bytes of a packed matrix, scales aside: whole vectors of 16. */
export function packedBytes(k4: number, n4: number, { tileGroup, dtype }: PackOptions): number {
  return Math.ceil(packedTiles({ k4, n4, tileGroup }) * formatOf(dtype).bytes) * 16;
}

/** Counts the bytes of a packed matrix's scales. */
export function scaleBytes(k4: number, n4: number, { tileGroup, dtype }: PackOptions): number {
  return weightStorage(dtype).scaleBytes({ k4, n4, tileGroup });
}

/**
 * Packs a matrix, or whole groups of its output tiles.
 *
 * @throws {KvbenchError} If an element can't be stored.
 */
export function packTiles(source: MatrixSource, { tileGroup, dtype }: PackOptions): Packed {
  return weightStorage(dtype).pack(source, tileGroup);
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
