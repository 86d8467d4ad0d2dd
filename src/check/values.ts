/**
 * Seeded values to check kernels with, and what they become when they are stored.
 *
 * @module
 */
import type { Dtype } from "../gpu/dtype.ts";
import { seededRandom, shuffled } from "../base/random.ts";
import { pick } from "../model/pack.ts";

/** `length` values, uniform in [-1, 1). */
export function randomArray(length: number, seed: number): Float32Array<ArrayBuffer> {
  const next = seededRandom(seed);
  return Float32Array.from({ length }, () => 2 * next() - 1);
}

/** `length` normally distributed values: Box and Muller. */
export function normalArray(
  length: number,
  { mean = 0, deviation = 1, seed = 1 }: {
    readonly mean?: number;
    readonly deviation?: number;
    readonly seed?: number;
  },
): Float32Array<ArrayBuffer> {
  const next = seededRandom(seed);
  return Float32Array.from(
    { length },
    () => mean + deviation * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  );
}

/** 0 … n - 1 in a random order. */
export function shuffledRange(n: number, seed: number): number[] {
  return shuffled([...Array(n).keys()], seededRandom(seed));
}

/** Pads each row of a plain array as `map` says (see `pack.ts`). */
export function padRows(
  values: ArrayLike<number>,
  { width, map }: { readonly width: number; readonly map: Int32Array },
): Float32Array<ArrayBuffer> {
  const plain = Float32Array.from(values);
  const padded = new Float32Array(plain.length / width * map.length);
  for (let r = 0; r < plain.length / width; r++) padded.set(pick(plain, map, r * width), r * map.length);
  return padded;
}

/** What a matrix is after it was stored; `channel` says which output an element belongs to. */
export function stored(
  values: Float32Array<ArrayBuffer>,
  dtype: Dtype,
  channel: (index: number) => number,
): Float32Array<ArrayBuffer> {
  if (dtype === "f32") return values;
  if (dtype === "f16") return values.map(Math.f16round);
  const largest: number[] = [];
  values.forEach((value, i) => largest[channel(i)] = Math.max(largest[channel(i)] ?? 0, Math.abs(value)));
  return values.map((value, i) => {
    const scale = Math.fround(largest[channel(i)]! / 127);
    return scale === 0 ? 0 : Math.round(value / scale) * scale;
  });
}
