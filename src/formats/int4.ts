/**
 * Four bits, symmetric: whole numbers of a scale from -7 to 7. Weights have a float16 scale for every 32 inputs of an
 * output; K and V have a float32 scale for each head and token, and `int4` rotates a head before it is rounded, so that
 * no channel stands out.
 */
import kvCode from "../../wgsl/lib/kv/kv_int4.wgsl" with { type: "text" };
import fourCode from "../../wgsl/lib/weights/weight_four_int4.wgsl" with { type: "text" };
import weightCode from "../../wgsl/lib/weights/weight_int4.wgsl" with { type: "text" };
import { KvbenchError } from "../base/errors.ts";
import type { KvStorage, StorageFormat } from "./format.ts";
import { headScale, roundingSlack } from "./rounding.ts";
import { eachElement, type MatrixSource, type PackedElement, sourceTiles } from "./tiles.ts";

/** Steps from zero to the largest magnitude. */
const STEPS = 7;
/** Tiles of inputs that share the scales of their outputs. */
const SCALED_TILES = 8;
/** Tiles of inputs of a block, and the bytes that each of its tiles takes with its share of scales; see `weight_int4.wgsl`. */
const BLOCK_TILES = 2 * SCALED_TILES, TILE_BYTES = 9;
/** The least scale: below it float16 is subnormal, and GPUs may read 0. */
const LEAST_SCALE = 2 ** -14;
/** The largest scale, and what still rounds to it. */
const LARGEST_SCALE = 65519;

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
    four: { name: "weight_four_int4.wgsl", code: fourCode },
    tileBytes: TILE_BYTES,
    together: BLOCK_TILES,
    scaleBytes: () => 0,
    pack(source, tileGroup) {
      const padded = wholeBlocks(source), scales = scalesOf(padded, tileGroup), { length } = scales;
      const blockTiles = BLOCK_TILES * tileGroup, perBlock = 8 * tileGroup;
      const tiles = new Uint8Array(sourceTiles(padded, tileGroup) * TILE_BYTES),
        halves = new Float16Array(tiles.buffer);
      for (let first = 0; first < length; first += perBlock) {
        halves.set(scales.subarray(first, first + perBlock), first / perBlock * blockTiles * TILE_BYTES / 2);
      }
      eachElement(padded, tileGroup, (element) => {
        const { tile, i, j, value } = element, ahead = (Math.floor(tile / blockTiles) + 1) * 2 * perBlock;
        tiles[ahead + tile * 8 + 2 * j + (i >> 1)]! |=
          (nearest(value, scales[scaleOf(element, tileGroup)]!) & 15) << 4 * (i & 1);
      });
      return { tiles };
    },
    stored(source) {
      const stored = new Float32Array(source.values.length), padded = wholeBlocks(source);
      const scales = scalesOf(padded, 1);
      eachElement(padded, 1, (element) => {
        const scale = scales[scaleOf(element, 1)]!;
        stored[element.from] = nearest(element.value, scale) * scale;
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

/** Pads the inputs of a source to whole blocks. */
function wholeBlocks(source: MatrixSource): MatrixSource {
  const k = new Int32Array(Math.ceil(source.k.length / (4 * BLOCK_TILES)) * 4 * BLOCK_TILES).fill(-1);
  k.set(source.k);
  return { ...source, k };
}

/** Returns which scale is that of an element, in the order in which they are stored. */
function scaleOf({ tile, i }: PackedElement, tileGroup: number): number {
  return (Math.floor(tile / (SCALED_TILES * tileGroup)) * tileGroup + tile % tileGroup) * 4 + i;
}

/** The largest magnitude of 32 inputs of an output over 7, in float16; 0 where that is subnormal. */
function scalesOf(source: MatrixSource, tileGroup: number): Float16Array<ArrayBuffer> {
  const largest = new Float32Array(sourceTiles(source, tileGroup) / SCALED_TILES * 4);
  eachElement(source, tileGroup, (element) => {
    const at = scaleOf(element, tileGroup);
    largest[at] = Math.max(largest[at]!, Math.abs(element.value));
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
