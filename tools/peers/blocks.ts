/**
 * Numbers in 8 bits as llama.cpp's Q8_0 and ONNX Runtime's MatMulNBits have them: a row in blocks of 32, each with one
 * scale, the largest magnitude over 127, rounded to float16 as Q8_0 stores it.
 */

/** Values of a block. */
export const BLOCK = 32;
/** The largest magnitude of a stored integer. */
const LARGEST = 127;

/** Values in blocks: `scales[b]` times `integers[32 b + i]`. */
interface Blocks {
  /** [n / 32] */
  readonly scales: Float32Array<ArrayBuffer>;
  /** [n] */
  readonly integers: Int8Array;
}

/**
 * Rounds values to 8 bits.
 *
 * @param values Rows whose width is a multiple of 32.
 */
export function blocksOf(values: Float32Array): Blocks {
  const scales = new Float32Array(values.length / BLOCK), integers = new Int8Array(values.length);
  for (let b = 0; b < scales.length; b++) {
    let largest = 0;
    for (let i = b * BLOCK; i < (b + 1) * BLOCK; i++) largest = Math.max(largest, Math.abs(values[i]!));
    const exact = largest / LARGEST;
    scales[b] = Math.f16round(exact);
    if (exact === 0) continue;
    for (let i = b * BLOCK; i < (b + 1) * BLOCK; i++) integers[i] = Math.round(values[i]! / exact);
  }
  return { scales, integers };
}

/** Returns a matrix [rows, columns] as [columns, rows]. */
export function transposed(values: Float32Array, rows: number, columns: number): Float32Array<ArrayBuffer> {
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = values[row * columns + column]!;
    }
  }
  return turned;
}
