/** float32: four bytes an element, stored bit by bit. */
import kvCode from "../../wgsl/lib/kv/kv_f32.wgsl" with { type: "text" };
import weightCode from "../../wgsl/lib/weights/weight_f32.wgsl" with { type: "text" };
import type { StorageFormat } from "./format.ts";
import { eachElement, sourceTiles } from "./tiles.ts";

/** Stores float32 as it is. */
export const FLOAT32 = {
  name: "f32",
  label: "float32",
  bytes: 4,
  exact: true,
  weights: {
    wgsl: { name: "weight_f32.wgsl", code: weightCode },
    scaleBytes: () => 0,
    pack(source, tileGroup) {
      const tiles = new Float32Array(16 * sourceTiles(source, tileGroup));
      eachElement(source, tileGroup, ({ tile, j, i, value }) => tiles[tile * 16 + j * 4 + i] = value);
      return { tiles };
    },
    stored: ({ values }) => values,
    tolerance: 0,
  },
  kv: {
    wgsl: { name: "kv_f32.wgsl", code: kvCode },
    words: 4,
    scaleBytes: 0,
    encode(values, to, at) {
      values.forEach((value, i) => to.setFloat32(at + 4 * i, value, true));
      return 1;
    },
    decode: (from, at, i) => from.getFloat32(at + 4 * i, true),
    slack: () => 0,
  },
} as const satisfies StorageFormat;
