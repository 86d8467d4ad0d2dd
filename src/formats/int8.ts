/**
 * int8, symmetric: one byte an element from -127 to 127, and float32 scales: one for each output channel of a weight
 * matrix, and one for each head and token of K and of V.
 */
import kvCode from "../../wgsl/lib/kv/kv_int8.wgsl" with { type: "text" };
import weightCode from "../../wgsl/lib/weights/weight_int8.wgsl" with { type: "text" };
import type { StorageFormat } from "./format.ts";
import { headScale, roundingSlack } from "./rounding.ts";
import { eachElement, type MatrixSource, sourceTiles } from "./tiles.ts";

/** Steps from zero to the largest magnitude. */
const STEPS = 127;
/** Below it float32 loses digits, and GPUs may read 0. */
const LEAST_NORMAL = 2 ** -126;

/** Stores whole numbers of scales. */
export const INT8 = {
  name: "int8",
  label: "int8",
  bytes: 1,
  exact: false,
  weights: {
    wgsl: { name: "weight_int8.wgsl", code: weightCode },
    scaleBytes: ({ n4 }) => 16 * n4,
    pack(source, tileGroup) {
      const tiles = new Int8Array(16 * sourceTiles(source, tileGroup));
      const scale = channelScales(source);
      eachElement(source, tileGroup, ({ tile, j, i, n, value }) => {
        tiles[tile * 16 + i * 4 + j] = steps(value, scale[n]!);
      });
      return { tiles, scale };
    },
    stored(source) {
      const stored = new Float32Array(source.values.length), scale = channelScales(source);
      eachElement(source, 1, ({ from, n, value }) => stored[from] = steps(value, scale[n]!) * scale[n]!);
      return stored;
    },
    tolerance: 2.5e-7, // a product with a scale rounds below 2^-24
  },
  kv: {
    wgsl: { name: "kv_int8.wgsl", code: kvCode },
    words: 1,
    scaleBytes: 4,
    encode(values, to, at) {
      const scale = headScale(values, STEPS);
      values.forEach((value, i) => to.setInt8(at + i, Math.round(value / scale)));
      return scale;
    },
    decode: (from, at, i, scale) => from.getInt8(at + i) * scale,
    slack: (value, exact) => roundingSlack(value, exact, 1 / STEPS),
  },
} as const satisfies StorageFormat;

function steps(value: number, scale: number): number {
  return scale > 0 ? Math.round(value / scale) : 0;
}

/** The largest magnitude of each padded output channel over 127; 0, for a channel of zeros, where that is subnormal. */
function channelScales({ values, strideK, strideN, k, n }: MatrixSource): Float32Array<ArrayBuffer> {
  const largest = new Float32Array(n.length);
  for (const fromK of k) {
    if (fromK < 0) continue;
    for (let index = 0; index < n.length; index++) {
      if (n[index]! < 0) continue;
      const value = Math.abs(values[n[index]! * strideN + fromK * strideK]!);
      if (value > largest[index]!) largest[index] = value;
    }
  }
  return largest.map((value) => value / STEPS < LEAST_NORMAL ? 0 : value / STEPS);
}
