/**
 * GPT-2 in float64, written from its formulas (Radford et al. 2019) and sharing nothing with kvbench's kernels or their
 * references but the names of tensors: what every peer's logits are held against. Slow, and for few tokens.
 */
import type { TensorSource } from "../../src/checkpoint/checkpoint.ts";

/** Returns the logits after the last of `ids`, [vocabSize]. */
export async function referenceLogits(model: TensorSource, ids: readonly number[]): Promise<Float64Array> {
  const { nLayer, nEmbd, nHead, headDim, vocabSize, layerNormEpsilon, tieWordEmbeddings } = model.config;
  const affine = async (rows: Float64Array[], name: string) =>
    products(rows, await model.read(`${name}.weight`), await model.read(`${name}.bias`));
  const norm = async (rows: Float64Array[], name: string) => {
    const [gain, shift] = [await model.read(`${name}.weight`), await model.read(`${name}.bias`)];
    return rows.map((row) => {
      const mean = row.reduce((sum, value) => sum + value) / row.length;
      const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length;
      return row.map((value, i) =>
        (value - mean) / Math.sqrt(variance + layerNormEpsilon) * gain[i]! + shift[i]!
      );
    });
  };

  let x: Float64Array[] = [];
  for (const [position, id] of ids.entries()) {
    const token = await model.read("wte.weight", { first: id, count: 1 });
    const place = await model.read("wpe.weight", { first: position, count: 1 });
    x.push(Float64Array.from(token, (value, i) => value + place[i]!));
  }
  for (let layer = 0; layer < nLayer; layer++) {
    const name = `h.${layer}`;
    const qkv = await affine(await norm(x, `${name}.ln_1`), `${name}.attn.c_attn`);
    const attended = qkv.map((row, position) => {
      const y = new Float64Array(nEmbd);
      for (let head = 0; head < nHead; head++) {
        const first = head * headDim, q = row.subarray(first, first + headDim);
        const scores = qkv.slice(0, position + 1).map((other) => {
          const k = other.subarray(nEmbd + first, nEmbd + first + headDim);
          return q.reduce((sum, value, i) => sum + value * k[i]!, 0) / Math.sqrt(headDim);
        });
        const most = Math.max(...scores), weights = scores.map((score) => Math.exp(score - most));
        const total = weights.reduce((sum, weight) => sum + weight);
        weights.forEach((weight, other) => {
          for (let i = 0; i < headDim; i++) {
            y[first + i]! += weight / total * qkv[other]![2 * nEmbd + first + i]!;
          }
        });
      }
      return y;
    });
    x = sums(x, await affine(attended, `${name}.attn.c_proj`));
    const inner = await affine(await norm(x, `${name}.ln_2`), `${name}.mlp.c_fc`);
    x = sums(x, await affine(inner.map((row) => row.map(gelu)), `${name}.mlp.c_proj`));
  }
  const [last] = await norm(x.slice(-1), "ln_f");
  const head = await model.read(tieWordEmbeddings ? "wte.weight" : "lm_head.weight"); // [vocabSize, nEmbd]
  return Float64Array.from({ length: vocabSize }, (_, id) => {
    let sum = 0;
    for (let i = 0; i < nEmbd; i++) sum += last![i]! * head[id * nEmbd + i]!;
    return sum;
  });
}

/** Multiplies rows by a matrix [inputs, outputs], and adds the bias. */
export function products(
  rows: readonly ArrayLike<number>[],
  matrix: Float32Array,
  bias: Float32Array,
): Float64Array[] {
  const outputs = bias.length;
  return rows.map((row) => {
    const y = Float64Array.from(bias);
    for (let i = 0; i < row.length; i++) {
      const value = row[i]!;
      for (let j = 0; j < outputs; j++) y[j]! += value * matrix[i * outputs + j]!;
    }
    return y;
  });
}

function sums(a: readonly Float64Array[], b: readonly Float64Array[]): Float64Array[] {
  return a.map((row, r) => row.map((value, i) => value + b[r]![i]!));
}

/** GELU by tanh, as GPT-2 has it. */
function gelu(x: number): number {
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}
