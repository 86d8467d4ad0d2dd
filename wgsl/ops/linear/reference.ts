/**
 * The result of the linear kernels, naively and in float64.
 *
 * @module
 */

/** A linear layer as checkpoints store it, and what `linear.wgsl` does with its sums. */
export interface LinearParameters {
  readonly weight: ArrayLike<number>; // [nIn, nOut]
  readonly nIn: number;
  readonly nOut: number;
  readonly bias?: ArrayLike<number>; // [nOut]
  readonly gelu?: boolean;
  readonly residual?: ArrayLike<number>; // [nRows, nOut], added at the end
}

/**
 * The product of x [nRows, nIn] with the weight, then bias, GELU and residual.
 *
 * @returns [nRows, nOut]
 */
export function linearCpu(x: ArrayLike<number>, parameters: LinearParameters): Float64Array {
  const { weight, nIn, nOut, bias, gelu = false, residual } = parameters;
  const nRows = x.length / nIn;
  const y = new Float64Array(nRows * nOut);
  for (let r = 0; r < nRows; r++) {
    for (let n = 0; n < nOut; n++) {
      let sum = bias?.[n] ?? 0;
      for (let k = 0; k < nIn; k++) sum += x[r * nIn + k]! * weight[k * nOut + n]!;
      y[r * nOut + n] = (gelu ? geluCpu(sum) : sum) + (residual?.[r * nOut + n] ?? 0);
    }
  }
  return y;
}

/** GPT-2's GELU in its published form (Hendrycks and Gimpel 2016, arXiv 1606.08415, section 2). */
export function geluCpu(v: number): number {
  return 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)));
}
