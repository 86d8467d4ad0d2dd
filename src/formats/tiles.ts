/**
 * The 4 × 4 tiles of a packed weight matrix: how many there are, and where each element lies. Host only.
 *
 * @module
 */

/** A matrix [K, N] in a flat array, with strides in elements and, where padding is needed, index maps. */
export interface MatrixSource {
  /** The elements. */
  readonly values: Float32Array<ArrayBuffer>;
  /** Between neighbours in k. */
  readonly strideK: number;
  /** Elements between neighbours in n. */
  readonly strideN: number;
  /** [K4 * 4] source index of each padded k, or -1 for padding. */
  readonly k: Int32Array;
  /** [N4 * 4] source index of each padded n, or -1 for padding. */
  readonly n: Int32Array;
}

/** The shape of a packed matrix. */
export interface PackedShape {
  /** Input width in tiles. */
  readonly k4: number;
  /** Output width in tiles. */
  readonly n4: number;
  /** Output tiles that lie together; see `linear.wgsl`. */
  readonly tileGroup: number;
}

/** An element of a matrix, and where it is packed. */
export interface PackedElement {
  /** Its tile. */
  readonly tile: number;
  /** Its input in the tile, from 0 to 3. */
  readonly j: number;
  /** Its output in the tile, from 0 to 3. */
  readonly i: number;
  /** Its padded input. */
  readonly k: number;
  /** Its padded output. */
  readonly n: number;
  /** Its index in the source. */
  readonly from: number;
  /** Its value. */
  readonly value: number;
}

/** Counts the tiles of a packed matrix: whole groups of output tiles, the last one padded with zeros. */
export function packedTiles({ k4, n4, tileGroup }: PackedShape): number {
  return Math.ceil(n4 / tileGroup) * tileGroup * k4;
}

/** Counts the tiles that a source takes. */
export function sourceTiles({ k, n }: MatrixSource, tileGroup: number): number {
  return packedTiles({ k4: k.length / 4, n4: n.length / 4, tileGroup });
}

/** Calls `put` with each element that is no padding. The object is the same for all of them. */
export function eachElement(
  { values, k, n, strideK, strideN }: MatrixSource,
  tileGroup: number,
  put: (element: PackedElement) => void,
): void {
  const k4 = k.length / 4;
  const element = { tile: 0, j: 0, i: 0, k: 0, n: 0, from: 0, value: 0 };
  for (let tileN = 0; tileN < n.length / 4; tileN++) {
    const first = Math.floor(tileN / tileGroup) * tileGroup * k4 + tileN % tileGroup;
    for (let i = 0; i < 4; i++) {
      const fromN = n[tileN * 4 + i]!;
      if (fromN < 0) continue;
      element.i = i;
      element.n = tileN * 4 + i;
      for (let index = 0; index < k.length; index++) {
        const fromK = k[index]!;
        if (fromK < 0) continue;
        element.tile = first + (index >> 2) * tileGroup;
        element.j = index & 3;
        element.k = index;
        element.from = fromN * strideN + fromK * strideK;
        element.value = values[element.from]!;
        put(element);
      }
    }
  }
}
