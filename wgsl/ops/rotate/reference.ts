/** The result of `rotate.wgsl` for one head, from the definition and in float64. */

/** Multiplies a head by the orthonormal Hadamard matrix of its size, which is a power of two. */
export function rotateCpu(head: ArrayLike<number>): Float64Array {
  const d = head.length, y = new Float64Array(d);
  for (let row = 0; row < d; row++) {
    for (let column = 0; column < d; column++) y[row]! += hadamard(d, row, column) * head[column]!;
  }
  return y.map((sum) => sum / Math.sqrt(d));
}

/** An element of Sylvester's matrix: H(2d) is H(d) four times, the last one negated. */
function hadamard(d: number, row: number, column: number): number {
  if (d === 1) return 1;
  const half = d / 2, sign = row >= half && column >= half ? -1 : 1;
  return sign * hadamard(half, row % half, column % half);
}
