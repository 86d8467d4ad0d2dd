/** Layer norm of every row, or of those that want logits. */
import type { Gpt2Config } from "../../../src/checkpoint/config.ts";
import { type Batch, batchOf } from "../../../src/model/batch.ts";
import { dimsOf } from "../../../src/model/dims.ts";
import { outputFile } from "../../../src/model/io.ts";
import type { Operator } from "../../../src/model/operator.ts";
import { paddedEnd } from "../../../src/model/pack.ts";
import type { Uses } from "../../../src/model/plan.ts";
import { expecting, type Trial } from "../../../src/model/trial.ts";
import type { Tuning } from "../../../src/model/tuning.ts";
import { padRows, randomArray } from "../../../src/model/values.ts";
import serialCode from "../../lib/sums/sum_serial.wgsl" with { type: "text" };
import treeCode from "../../lib/sums/sum_tree.wgsl" with { type: "text" };
import code from "./layer_norm.wgsl" with { type: "text" };
import { layerNormCpu } from "./reference.ts";

const FILE = { name: "layer_norm.wgsl", code };
const SUM = {
  serial: { name: "sum_serial.wgsl", code: serialCode },
  tree: { name: "sum_tree.wgsl", code: treeCode },
};
/** Up to so many lanes, each adds up what all have. */
const FEW_LANES = 16;

/** Uses of its bindings. */
export const NORM_USES = { x: "read", y: "result", gamma: "read", beta: "read" } as const satisfies Uses;

/** The difference between layer norms of a model. */
interface NormOf {
  /** True if only rows that want logits are normalised, gathered. */
  readonly gather: boolean;
}

/** The operator. */
export const LAYER_NORM: Operator<NormOf> = {
  name: "norm",
  files: [FILE, ...Object.values(SUM)],
  plans: ({ layouts, config, tuning }, { gather }) => [{
    spec: {
      label: gather ? "final norm" : "norm",
      files: [FILE, tuning.normLanes <= FEW_LANES ? SUM.serial : SUM.tree, outputFile(tuning)],
      groups: [layouts.step, layouts.of(NORM_USES)],
      overrides: {
        E4: dimsOf(config).e4,
        N_EMBD: config.nEmbd,
        EPSILON: config.layerNormEpsilon,
        GATHER: Number(gather),
        LANES: tuning.normLanes,
      },
    },
    grid: (batch) => [rowsOf(batch, gather)],
    walk: {
      lanes: tuning.normLanes,
      trips: Math.ceil(dimsOf(config).e4 / tuning.normLanes),
      bytes: 16,
      at: (lane) => 16 * lane,
    },
  }],
  /** Of a row: the sum, the squares, then the scaling and the shift. */
  cost(batch, { config }, { gather }) {
    const e = 4 * dimsOf(config).e4, rows = rowsOf(batch, gather);
    return { bytes: 4 * (2 * rows * e + 2 * e), macs: 4 * rows * e };
  },
  checks: ({ config, tunings }) =>
    tunings.flatMap((tuning) =>
      [false, true].map((gather) => ({
        file: FILE,
        variant: `${gather ? "gathered" : "all"} rows, ${tuning.name} tuning`,
        trials: () => [1, 9].map((nRows) => normTrial({ config, gather, tuning, nRows })),
      }))
    ),
};

function rowsOf({ nRows, nOutputs }: Batch, gather: boolean): number {
  return gather ? nOutputs : nRows;
}

/**
 * Elements are about 4 and have a rounding error of 2^-22, divided by a deviation of about 0.5; the sums over a
 * row add a few of it.
 */
const TOLERANCE = 5e-6;

/** Makes a trial over `nRows` rows of two sequences, so that the outputs are not simply the last rows. */
export function normTrial({ config, gather, tuning, nRows }: NormOf & {
  readonly config: Gpt2Config;
  readonly tuning: Tuning;
  readonly nRows: number;
}): Trial {
  const { nEmbd, layerNormEpsilon: epsilon } = config, { e4 } = dimsOf(config);
  const map = paddedEnd(nEmbd, e4);
  const padded = (values: ArrayLike<number>) => padRows(values, { width: nEmbd, map });
  const gamma = randomArray(nEmbd, 1), beta = randomArray(nEmbd, 2);
  const x = randomArray(nRows * nEmbd, nRows).map((value) => value + 4);
  x.fill(4, 0, nEmbd); // a row without variance must not divide by zero
  const first = Math.ceil(nRows / 2);
  const spans = [
    { sequence: 0, first: 0, count: first, outputs: 1 },
    { sequence: 1, first: 0, count: nRows - first, outputs: nRows - first },
  ];
  const { outputs } = batchOf(spans);
  const rows = Array.from({ length: outputs.length / 4 }, (_, i) => outputs[4 * i]!);
  const read = gather ? rows.flatMap((r) => [...x.subarray(r * nEmbd, (r + 1) * nEmbd)]) : x;
  const poison = () => new Float32Array((nRows + 1) * e4 * 4).fill(NaN);
  const expected = poison();
  expected.set(padded(layerNormCpu(read, { gamma, beta, epsilon })));
  return {
    config,
    tuning,
    spans,
    buffers: { gamma: padded(gamma), beta: padded(beta), x: padded(x), y: poison() },
    dispatches: [{ uses: NORM_USES, plan: (context) => LAYER_NORM.plans(context, { gather })[0]! }],
    judge: expecting("y", expected, {
      what: `${nRows} rows of ${nEmbd}`,
      tolerance: TOLERANCE,
      width: e4 * 4,
    }),
  };
}
