/**
 * Texture storage: textures as arrays of vectors of 16 bytes, filled row by row; see `texels.wgsl`. Owns the place of
 * each byte.
 */

/** Format of a texel: four words. */
export const TEXEL_FORMAT = "rgba32uint" satisfies GPUTextureFormat;
/** Bytes of a texel. */
export const TEXEL_BYTES = 16;
/** Texels of a row: TEXELS_PER_ROW of `texels.wgsl`. */
export const TEXELS_PER_ROW = 2048;
/** Default bytes of a row. */
export const ROW_BYTES: number = TEXELS_PER_ROW * TEXEL_BYTES;

/** Counts the rows that `bytes` take. */
export function texelRows(bytes: number, rowBytes = ROW_BYTES): number {
  return Math.max(1, Math.ceil(bytes / rowBytes));
}

/**
 * Returns the bytes of whole rows for `bytes` whose number depends on the work: at least as many rows, and never a
 * power of two. Mesa's software drivers compile a kernel once for textures whose height is a power of two and once for
 * others, so that workspaces of different sizes would share no compiled kernel.
 */
export function unevenBytes(bytes: number): number {
  let rows = texelRows(bytes);
  while ((rows & (rows - 1)) === 0) rows++;
  return rows * ROW_BYTES;
}

/** A rectangle of texels, and its place in the bytes that fill it. */
export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Offset of its first byte. */
  readonly from: number;
}

/**
 * Returns the rectangles that `bytes` from `offset` on take: the rest of a row, whole rows, and the beginning of one.
 *
 * @param offset Offset in bytes, a multiple of 16.
 * @param bytes Length, a multiple of 16.
 */
export function regionsOf(offset: number, bytes: number, rowBytes = ROW_BYTES): Region[] {
  const perRow = rowBytes / TEXEL_BYTES;
  const regions: Region[] = [];
  for (let from = 0; from < bytes;) {
    const first = (offset + from) / TEXEL_BYTES, left = (bytes - from) / TEXEL_BYTES;
    const x = first % perRow, y = Math.floor(first / perRow);
    const whole = x === 0 && left >= perRow;
    const width = whole ? perRow : Math.min(left, perRow - x);
    const height = whole ? Math.floor(left / perRow) : 1;
    regions.push({ x, y, width, height, from });
    from += width * height * TEXEL_BYTES;
  }
  return regions;
}
