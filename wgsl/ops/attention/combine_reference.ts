/** The result of `attention_combine.wgsl`, naively and in float64. */

/** Sums of the splits of one head. */
interface Splits {
  readonly partial: ArrayLike<number>; // [nSplits, headDim]
  readonly scale: ArrayLike<number>; // [nSplits, 2]: the largest score, and the sum of weights
}

/**
 * The splits joined.
 *
 * @returns [headDim]
 */
export function attentionCombineCpu({ partial, scale }: Splits, headDim: number): Float64Array {
  const nSplits = partial.length / headDim;
  const all = Array.from({ length: nSplits }, (_, s) => s);
  const highest = Math.max(...all.map((s) => scale[2 * s]!));
  const weights = all.map((s) => Math.exp(scale[2 * s]! - highest));
  const total = all.reduce((sum, s) => sum + weights[s]! * scale[2 * s + 1]!, 0);
  return Float64Array.from(
    { length: headDim },
    (_, d) => all.reduce((sum, s) => sum + weights[s]! * partial[s * headDim + d]!, 0) / total,
  );
}
