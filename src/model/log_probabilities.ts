/** Log-probabilities from logits, on the host. Sums are in float64. */

/** log Σ exp(logits), without overflow. */
export function logSumExp(logits: Float32Array): number {
  let largest = -Infinity;
  for (const value of logits) if (value > largest) largest = value;
  let sum = 0;
  for (const value of logits) sum += Math.exp(value - largest);
  return largest + Math.log(sum);
}

/** log softmax(logits)[id] */
export function logProbability(logits: Float32Array, id: number): number {
  return logits[id]! - logSumExp(logits);
}

/** Indices of the `count` largest values, the largest first, the lowest index first among equals. */
export function largestIndices(values: ArrayLike<number>, count: number): number[] {
  const best: number[] = [];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (best.length === count && !(value > values[best[count - 1]!]!)) continue;
    let at = best.length;
    while (at > 0 && value > values[best[at - 1]!]!) at--;
    best.splice(at, 0, i);
    if (best.length > count) best.pop();
  }
  return best;
}
