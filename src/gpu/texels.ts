/**
 * Textures as arrays of vectors of 16 bytes, which fill them row by row: see `texels.wgsl`. Owns where a byte lies.
 *
 * @module
 */
/** A vector of four words. */
export const TEXEL_FORMAT = "rgba32uint" satisfies GPUTextureFormat;
/** Bytes of a texel. */
export const TEXEL_BYTES = 16;
/** Texels of a row: TEXELS_PER_ROW of `texels.wgsl`. */
export const TEXELS_PER_ROW = 2048;
/** Bytes of a row, unless a texture has rows of its own. */
export const ROW_BYTES: number = TEXELS_PER_ROW * TEXEL_BYTES;

/** Rows that `bytes` take. */
export function texelRows(bytes: number, rowBytes = ROW_BYTES): number {
  return Math.max(1, Math.ceil(bytes / rowBytes));
}

/** A rectangle of texels, and where it begins in the bytes that fill it. */
export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Bytes before it. */
  readonly from: number;
}

/**
 * The rectangles that `bytes` from `offset` on take: the rest of a row, whole rows, the beginning of one.
 *
 * @param offset In bytes, a multiple of 16.
 * @param bytes A multiple of 16.
 * @param rowBytes Bytes of a row.
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
