/**
 * Packing a weight matrix into the 4 × 4 tiles that the linear kernels read. Host only.
 *
 * @module
 */
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

/** Tiles of a packed matrix: whole groups of `group` output tiles, the last one padded with zeros. */
export function packedTiles(k4: number, n4: number, group: number): number {
  return Math.ceil(n4 / group) * group * k4;
}

/**
 * Packs the output tiles from `firstN4` to `firstN4 + n4` as `linear.wgsl` describes. Returns
 * [n4 / group rounded up, k4, group] tiles of [4 columns k, 4 rows n].
 */
export function packTiles(
  source: MatrixSource,
  group: number,
  range: { firstN4: number; n4: number },
): Float32Array<ArrayBuffer> {
  const { values, k, n, strideK, strideN } = source;
  const k4 = k.length / 4;
  const packed = new Float32Array(packedTiles(k4, range.n4, group) * 16);
  for (let tileN = 0; tileN < range.n4; tileN++) {
    const first = Math.floor(tileN / group) * group * k4 + tileN % group;
    for (let i = 0; i < 4; i++) {
      const fromN = n[(range.firstN4 + tileN) * 4 + i]!;
      if (fromN < 0) continue;
      for (let index = 0; index < k.length; index++) {
        const fromK = k[index]!;
        if (fromK < 0) continue;
        const tile = first + (index >> 2) * group;
        packed[tile * 16 + (index & 3) * 4 + i] = values[fromN * strideN + fromK * strideK]!;
      }
    }
  }
  return packed;
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
