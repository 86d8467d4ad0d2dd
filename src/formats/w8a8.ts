/**
 * int8 for weights and for the inputs of their products, so that these can be made by integer dot products: weights are
 * stored as int8's, and inputs rounded as they are read, with a step for each 32 of a row.
 */
import inputCode from "../../wgsl/lib/weights/input_int8.wgsl" with { type: "text" };
import type { StorageFormat } from "./format.ts";
import { INT8 } from "./int8.ts";

/** Steps from zero to the largest magnitude. */
const STEPS = 127;
/** Inputs that share a step. */
const GROUP = 32;
/** The magnitude that zeros are said to have, as in `input_int8.wgsl`. */
const TINY = 1e-30;

/** Stores weights as int8, and rounds inputs. */
export const W8A8 = {
  name: "w8a8",
  label: "int8 with inputs in int8",
  bytes: 1,
  exact: false,
  weights: {
    ...INT8.weights,
    inputs: {
      wgsl: { name: "input_int8.wgsl", code: inputCode },
      group: GROUP,
      rounded(values, width) {
        const rounded = Float64Array.from(values);
        for (let row = 0; row < values.length; row += width) {
          for (let first = row; first < row + width; first += GROUP) {
            const group = rounded.subarray(first, Math.min(first + GROUP, row + width));
            const step = group.reduce((most, value) => Math.max(most, Math.abs(value)), TINY) / STEPS;
            group.forEach((value, i) => group[i] = Math.round(value / step) * step);
          }
        }
        return rounded;
      },
    },
  },
} as const satisfies StorageFormat;
