/**
 * Four bits, symmetric: whole numbers of a scale from -7 to 7. Weights have a float16 scale for every 32 inputs of an
 * output; K and V have a float32 scale for each head and token, and `int4` rotates a head before it is rounded, so that
 * no channel stands out.
 */
import kvCode from "../../wgsl/lib/kv/kv_int4.wgsl" with { type: "text" };
import weightCode from "../../wgsl/lib/weights/weight_int4.wgsl" with { type: "text" };
import { KvbenchError } from "../base/errors.ts";
import type { KvStorage, StorageFormat } from "./format.ts";
import { headScale, roundingSlack } from "./rounding.ts";
import { eachElement, type MatrixSource, sourceTiles } from "./tiles.ts";

/** Steps from zero to the largest magnitude. */
const STEPS = 7;
/** Tiles of inputs that share the scales of their outputs. */
const SCALED_TILES = 8;
/** The least scale: below it float16 is subnormal, and GPUs may read 0. */
const LEAST_SCALE = 2 ** -14;
/** The largest scale, and what still rounds to it. */
const LARGEST_SCALE = 65519;
/** The stored number that stands for zero. */
const ZERO = 8;

/** K or V as it is, a word for eight values. */
const PLAIN = {
  wgsl: { name: "kv_int4.wgsl", code: kvCode },
  words: 1,
  unitValues: 8,
  scaleBytes: 4,
  encode(values, to, at) {
    const scale = headScale(values, STEPS), q = values.map((value) => Math.round(value / scale));
    for (let i = 0; i < q.length; i += 2) to.setUint8(at + i / 2, q[i]! & 15 | (q[i + 1]! & 15) << 4);
    return scale;
  },
  decode(from, at, i, scale) {
    const byte = from.getInt8(at + (i >> 1));
    return (i % 2 === 0 ? byte << 28 >> 28 : byte >> 4) * scale;
  },
  slack: (value, exact) => roundingSlack(value, exact, 1 / STEPS),
} as const satisfies KvStorage;

/** Stores whole numbers of scales; of K and V those of rotated heads. */
export const INT4 = {
  name: "int4",
  label: "int4",
  bytes: 0.5,
  exact: false,
  weights: {
    wgsl: { name: "weight_int4.wgsl", code: weightCode },
    scaleBytes: ({ k4, n4, tileGroup }) => 8 * Math.ceil(n4 / tileGroup) * tileGroup * scalesOfInputs(4 * k4),
    pack(source, tileGroup) {
      const scale = scalesOf(source, tileGroup), at = scalePlace(source, tileGroup);
      const tiles = new Uint8Array(16 * Math.ceil(sourceTiles(source, tileGroup) / 2)).fill(ZERO << 4 | ZERO);
      eachElement(source, tileGroup, ({ tile, j, i, k, n, value }) => {
        const byte = tile * 8 + j * 2 + (i >> 1);
        const kept = tiles[byte]! & 0xf0 >> 4 * (i & 1); // the other output's
        tiles[byte] = kept | (ZERO + nearest(value, scale[at(k, n)]!)) << 4 * (i & 1);
      });
      return { tiles, scale };
    },
    stored(source) {
      const stored = new Float32Array(source.values.length);
      const scale = scalesOf(source, 1), at = scalePlace(source, 1);
      eachElement(source, 1, ({ from, k, n, value }) => {
        stored[from] = nearest(value, scale[at(k, n)]!) * scale[at(k, n)]!;
      });
      return stored;
    },
    tolerance: 2.5e-7, // a product with a scale rounds below 2^-24
  },
  kv: { ...PLAIN, rotates: true },
} as const satisfies StorageFormat;

/** Stores K and V without a rotation, to show what that buys. */
export const INT4_PLAIN = {
  name: "int4-plain",
  label: "int4 without rotation",
  bytes: 0.5,
  exact: false,
  kv: PLAIN,
} as const satisfies StorageFormat;

/** Returns the scales of an output: one for 32 inputs, and an even number, so that vectors of 16 bytes are whole. */
function scalesOfInputs(nInputs: number): number {
  return 2 * Math.ceil(nInputs / (2 * 4 * SCALED_TILES));
}

/** Returns where the scale of a padded input and output is: see `weight_int4.wgsl`. */
function scalePlace({ k }: MatrixSource, tileGroup: number): (k: number, n: number) => number {
  const perOutput = scalesOfInputs(k.length);
  return (input, output) => {
    const n4 = output >> 2, group = Math.floor(n4 / tileGroup);
    const nth = group * perOutput + Math.floor(input / (4 * SCALED_TILES));
    return (nth * tileGroup + n4 % tileGroup) * 4 + (output & 3);
  };
}

/** The largest magnitude of 32 inputs of an output over 7, in float16; 0 where that is subnormal. */
function scalesOf(source: MatrixSource, tileGroup: number): Float16Array<ArrayBuffer> {
  const groups = Math.ceil(source.n.length / (4 * tileGroup)), at = scalePlace(source, tileGroup);
  const largest = new Float32Array(groups * tileGroup * 4 * scalesOfInputs(source.k.length));
  eachElement(source, tileGroup, ({ k, n, value }) => {
    largest[at(k, n)] = Math.max(largest[at(k, n)]!, Math.abs(value));
  });
  return Float16Array.from(largest, (value) => {
    const scale = value / STEPS;
    if (scale > LARGEST_SCALE) {
      throw new KvbenchError(
        `An element is ${value} or its negative: int4's scales hold at most ${STEPS} of 65504, expected --weights-dtype f32`,
      );
    }
    return scale < LEAST_SCALE ? 0 : scale;
  });
}

/** The nearest number of scales from -7 to 7. */
function nearest(value: number, scale: number): number {
  return scale > 0 ? Math.max(-STEPS, Math.min(STEPS, Math.round(value / scale))) : 0;
}
