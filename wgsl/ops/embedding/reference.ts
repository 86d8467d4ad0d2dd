/**
 * The result of `embedding.wgsl`, naively and in float64.
 *
 * @module
 */

interface EmbeddingTables {
  readonly wte: ArrayLike<number>; // [vocabSize, nEmbd]
  readonly wpe: ArrayLike<number>; // [nCtx, nEmbd]
  readonly nEmbd: number;
}

/**
 * The sum of token and position embedding of each row.
 *
 * @returns [nRows, nEmbd]
 */
export function embeddingCpu(
  rows: readonly { readonly token: number; readonly position: number }[],
  { wte, wpe, nEmbd }: EmbeddingTables,
): Float64Array {
  const x = new Float64Array(rows.length * nEmbd);
  rows.forEach(({ token, position }, r) => {
    for (let e = 0; e < nEmbd; e++) x[r * nEmbd + e] = wte[token * nEmbd + e]! + wpe[position * nEmbd + e]!;
  });
  return x;
}
