/**
 * The result of `layer_norm.wgsl`, naively and in float64.
 *
 * @module
 */

interface NormParameters {
  readonly gamma: ArrayLike<number>; // [nEmbd]
  readonly beta: ArrayLike<number>; // [nEmbd]
  readonly epsilon: number;
}

/**
 * Normalises each row of x [nRows, nEmbd].
 *
 * @returns [nRows, nEmbd]
 */
export function layerNormCpu(
  x: ArrayLike<number>,
  { gamma, beta, epsilon }: NormParameters,
): Float64Array {
  const nEmbd = gamma.length;
  const y = new Float64Array(x.length);
  for (let base = 0; base < x.length; base += nEmbd) {
    let mean = 0, variance = 0;
    for (let e = 0; e < nEmbd; e++) mean += x[base + e]! / nEmbd;
    for (let e = 0; e < nEmbd; e++) variance += (x[base + e]! - mean) ** 2 / nEmbd;
    for (let e = 0; e < nEmbd; e++) {
      y[base + e] = (x[base + e]! - mean) / Math.sqrt(variance + epsilon) * gamma[e]! + beta[e]!;
    }
  }
  return y;
}
