/** float16: two bytes an element, packed as words, so that no device feature is needed. */
import kvCode from "../../wgsl/lib/kv/kv_f16.wgsl" with { type: "text" };
import weightCode from "../../wgsl/lib/weights/weight_f16.wgsl" with { type: "text" };
import { KvbenchError } from "../base/errors.ts";
import type { StorageFormat } from "./format.ts";
import { roundingSlack } from "./rounding.ts";
import { eachElement, sourceTiles } from "./tiles.ts";

/** 2^15 · (2 − 2^-10) and what still rounds to it. */
const LARGEST = 65519;

/** Stores the nearest float16. */
export const FLOAT16 = {
  name: "f16",
  label: "float16",
  bytes: 2,
  exact: false,
  weights: {
    wgsl: { name: "weight_f16.wgsl", code: weightCode },
    scaleBytes: () => 0,
    pack(source, tileGroup) {
      const tiles = new Float16Array(16 * sourceTiles(source, tileGroup));
      eachElement(source, tileGroup, ({ tile, j, i, value }) => {
        if (Math.abs(value) > LARGEST) {
          throw new KvbenchError(
            `An element is ${value}: float16 holds at most 65504, expected --weights-dtype f32`,
          );
        }
        tiles[tile * 16 + j * 4 + i] = value;
      });
      return { tiles };
    },
    stored: ({ values }) => values.map(Math.f16round),
    tolerance: 0,
  },
  kv: {
    wgsl: { name: "kv_f16.wgsl", code: kvCode },
    words: 2,
    scaleBytes: 0,
    encode(values, to, at) {
      values.forEach((value, i) => to.setFloat16(at + 2 * i, value, true));
      return 1;
    },
    decode: (from, at, i) => from.getFloat16(at + 2 * i, true),
    slack: (value, exact) => roundingSlack(value, exact, Math.abs(value) * 2 ** -10),
  },
} as const satisfies StorageFormat;
