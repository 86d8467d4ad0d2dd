/** Seeded values to check kernels with. */
import { seededRandom, shuffled } from "../base/random.ts";
import { pick } from "./pack.ts";

/** Makes `length` values, uniform in [-1, 1). */
export function randomArray(length: number, seed: number): Float32Array<ArrayBuffer> {
  const next = seededRandom(seed);
  return Float32Array.from({ length }, () => 2 * next() - 1);
}

/** Makes `length` normally distributed values: Box and Muller. */
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

/** Lists 0 … n - 1 in a random order. */
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
