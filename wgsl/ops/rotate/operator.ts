/**
 * The rotation of queries, keys and values before they are stored and compared, and of attention's output back.
 */
import { PRESETS } from "../../../src/checkpoint/config.ts";
import { rotatesAny } from "../../../src/formats/kv_dtype.ts";
import { lanesOf } from "../../../src/gpu/wgsl.ts";
import { dimsOf } from "../../../src/model/dims.ts";
import { inputFile, outputFile } from "../../../src/model/io.ts";
import type { Operator } from "../../../src/model/operator.ts";
import type { Uses } from "../../../src/model/plan.ts";
import { expecting, MOST_CHECKED, type Trial } from "../../../src/model/trial.ts";
import type { Tuning } from "../../../src/model/tuning.ts";
import { randomArray } from "../../../src/model/values.ts";
import { rotateCpu } from "./reference.ts";
import code from "./rotate.wgsl" with { type: "text" };

const FILE = { name: "rotate.wgsl", code };

/** Uses of its bindings. */
export const ROTATE_USES = { x: "operand", y: "result" } as const satisfies Uses;

/** The parts of a row, each a layer's heads. */
interface RotateOf {
  /** The label of the kernel. */
  readonly label: "rotate" | "rotate back";
  /** True for each part that is rotated, not copied. */
  readonly parts: readonly boolean[];
}

/** The rotation of queries, keys and values: queries as keys are. */
export function rotationOf([k, v]: readonly [boolean, boolean]): RotateOf {
  return { label: "rotate", parts: [k, k, v] };
}

/** The rotation of attention's output, where values were rotated. */
export const ROTATION_BACK: RotateOf = { label: "rotate back", parts: [true] };

/** The operator. */
export const ROTATE: Operator<RotateOf> = {
  name: "rotate",
  files: [FILE],
  plans: ({ layouts, config, tuning }, { label, parts }) => [{
    spec: {
      label,
      files: [FILE, inputFile(tuning), outputFile(tuning)],
      groups: [layouts.step, layouts.of(ROTATE_USES)],
      overrides: {
        N_PARTS: parts.length,
        N_HEAD: config.nHead,
        HEAD_DIM4: dimsOf(config).headDim4,
        ROTATED: parts.reduce((bits, rotated, part) => bits + (rotated ? 2 ** part : 0), 0),
      },
    },
    grid: ({ nRows }) => [Math.ceil(parts.length * dimsOf(config).a4 / lanesOf(FILE)), nRows],
  }],
  /** Sums of a head's values, as many as it has: with shared sums, log2(D) additions a value are enough. */
  cost({ nRows }, { config }, { parts }) {
    const { a4, headDim4 } = dimsOf(config), values = 4 * a4 * nRows;
    const rotated = parts.filter((part) => part).length;
    return { bytes: 8 * parts.length * values, macs: rotated * values * (Math.log2(4 * headDim4) + 1) };
  },
  checks: ({ config: { nHead, headDim }, tunings: [tuning], kvDtypes }) =>
    kvDtypes.some(rotatesAny)
      ? [rotationOf([true, true]), rotationOf([true, false]), ROTATION_BACK].map((of) => ({
        file: FILE,
        variant: `${of.label}, ${of.parts.filter((part) => part).length} of ${of.parts.length} parts`,
        trials: () => [rotateTrial({ nHead: Math.min(nHead, MOST_CHECKED.heads), headDim, tuning, ...of })],
      }))
      : [],
};

/** A sum of 256 values below 1, divided by 16: its terms and partial sums round by 2^-24 each, relatively. */
const TOLERANCE = 3e-6;
const N_ROWS = 9;

/** Makes a trial over the rows of one sequence; what lies behind them is poison. */
export function rotateTrial({ nHead, headDim, tuning, parts }: Pick<RotateOf, "parts"> & {
  readonly nHead: number;
  readonly headDim: number;
  readonly tuning: Tuning;
}): Trial {
  const width = nHead * headDim, config = { ...PRESETS.gpt2, nHead, headDim, nEmbd: width };
  const values = randomArray(N_ROWS * parts.length * width, 1), poison = Array(width).fill(NaN);
  const rotated = Array.from({ length: values.length / headDim }, (_, n) => {
    const head = values.subarray(n * headDim, (n + 1) * headDim);
    return parts[Math.floor(n / nHead) % parts.length] ? rotateCpu(head) : head;
  });
  return {
    config,
    tuning,
    spans: [{ sequence: 0, first: 0, count: N_ROWS, outputs: 0 }],
    buffers: {
      x: Float32Array.of(...values, ...poison),
      y: new Float32Array(values.length + width).fill(NaN),
    },
    dispatches: [{
      uses: ROTATE_USES,
      plan: (context) => ROTATE.plans(context, { label: "rotate", parts })[0]!,
    }],
    judge: expecting("y", Float32Array.of(...rotated.flatMap((head) => [...head]), ...poison), {
      what: `${N_ROWS} rows of ${parts.length} × ${nHead} heads of ${headDim}`,
      tolerance: TOLERANCE,
      width,
    }),
  };
}
