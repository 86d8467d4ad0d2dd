/**
 * The result of `attention_prefill.wgsl`, and of `attention_decode.wgsl` with `attention_combine.wgsl`: naively and in
 * float64.
 *
 * @module
 */

interface HeadShape {
  readonly nHead: number;
  readonly headDim: number;
}

/** K and V of the positions that a row attends to, its own among them. */
interface Context {
  readonly k: ArrayLike<number>; // [nPositions, nHead, headDim]
  readonly v: ArrayLike<number>; // [nPositions, nHead, headDim]
}

/**
 * Attention of one row, q [nHead, headDim], to the first `nPositions` of a context.
 *
 * @returns [nHead, headDim]
 */
export function attentionCpu(
  q: ArrayLike<number>,
  { k, v }: Context,
  { nHead, headDim, nPositions }: HeadShape & { readonly nPositions: number },
): Float64Array {
  const width = nHead * headDim;
  const y = new Float64Array(width);
  for (let head = 0; head < nHead; head++) {
    const scores = Array.from({ length: nPositions }, (_, p) => {
      let dot = 0;
      for (let d = head * headDim; d < (head + 1) * headDim; d++) dot += q[d]! * k[p * width + d]!;
      return dot / Math.sqrt(headDim);
    });
    const highest = Math.max(...scores);
    const weights = scores.map((score) => Math.exp(score - highest));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (let d = head * headDim; d < (head + 1) * headDim; d++) {
      for (let p = 0; p < nPositions; p++) y[d]! += weights[p]! / total * v[p * width + d]!;
    }
  }
  return y;
}
