/** CPU reference of `sample.wgsl`: thresholds by sorting, sums in f64, the same random numbers. */
import { NOT_FINITE } from "../../../src/base/finite.ts";
import type { Sampling } from "../../../src/model/sampling.ts";
import { argmaxCpu } from "../argmax/reference.ts";

/** Lower temperatures count as 0, as MIN_TEMPERATURE in `sample.wgsl`. */
const MIN_TEMPERATURE = 1e-6;

/**
 * The ids that may be chosen after the token at `position`, in ascending order. Without a `tolerance` that is
 * one, but for equal scores, whose lowest id is right. With it, also those that a computation might choose whose
 * scores (in nats) and whose top-p are wrong by that much. Where a logit is not finite: {@linkcode NOT_FINITE}.
 *
 * @param logits [nVocab]
 */
export function sampleCpu(
  logits: Float32Array,
  sampling: Sampling,
  options: { position: number; tolerance?: number },
): number[] {
  const { position, tolerance = 0 } = options;
  if (!logits.every(Number.isFinite)) return [NOT_FINITE];
  const temperature = Math.fround(sampling.temperature);
  if (temperature < MIN_TEMPERATURE) return [argmaxCpu(logits)];
  const highest = logits[argmaxCpu(logits)]!;
  const score = (id: number) => (logits[id]! - highest) / temperature + gumbel([sampling.seed, position, id]);
  const best = allowed(logits, sampling, -tolerance).reduce((a, id) => Math.max(a, score(id)), -Infinity);
  return allowed(logits, sampling, tolerance).filter((id) => score(id) >= best - tolerance);
}

/** The probability of every token [nVocab] under a sampling whose temperature is not 0. */
export function probabilitiesCpu(logits: Float32Array, sampling: Sampling): Float64Array {
  const ids = allowed(logits, sampling, 0);
  const masses = massesOf(logits, ids, Math.fround(sampling.temperature));
  const total = masses.reduce((a, b) => a + b, 0);
  const probabilities = new Float64Array(logits.length);
  ids.forEach((id, i) => probabilities[id] = masses[i]! / total);
  return probabilities;
}

/** The ids that top-k leaves, and of those the ones that top-p, raised by `more`, leaves. */
function allowed(logits: Float32Array, { temperature, topK, topP }: Sampling, more: number): number[] {
  let ids = [...logits.keys()];
  if (topK > 0 && topK < logits.length) {
    const least = logits.toSorted().at(-topK)!;
    ids = ids.filter((id) => logits[id]! >= least);
  }
  if (topP < 1) {
    const sorted = Float32Array.from(ids, (id) => logits[id]!).sort().reverse();
    const masses = massesOf(sorted, [...sorted.keys()], Math.fround(temperature));
    const wanted = (topP + more) * masses.reduce((a, b) => a + b, 0);
    let sum = masses[0]!, last = 0;
    while (sum < wanted && last + 1 < masses.length) sum += masses[++last]!;
    ids = ids.filter((id) => logits[id]! >= sorted[last]!);
  }
  return ids;
}

function massesOf(logits: Float32Array, ids: readonly number[], temperature: number): number[] {
  const highest = logits[argmaxCpu(logits)]!;
  return ids.map((id) => Math.exp((logits[id]! - highest) / temperature));
}

function gumbel(key: [seed: number, position: number, token: number]): number {
  const v = Math.min(Math.max((Math.fround(pcg3d(key)) + 0.5) * 2 ** -32, 2 ** -33), 1 - 2 ** -24);
  return -Math.log(-Math.log1p(-v));
}

/** pcg3d of Jarzynski and Olano 2020, its first word; see `sample.wgsl`. */
function pcg3d(key: [number, number, number]): number {
  let [x, y, z] = key.map((word) => (Math.imul(word, 1664525) + 1013904223) | 0) as [number, number, number];
  const mix = () => {
    x = (x + Math.imul(y, z)) | 0;
    y = (y + Math.imul(z, x)) | 0;
    z = (z + Math.imul(x, y)) | 0;
  };
  mix();
  [x, y, z] = [x ^ (x >>> 16), y ^ (y >>> 16), z ^ (z >>> 16)];
  mix();
  return x >>> 0;
}
