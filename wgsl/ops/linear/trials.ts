/** Trials of the linear kernels: whole outputs, or columns of a wider one as shards of the head fill them. */
import type { Gpt2Config } from "../../../src/checkpoint/config.ts";
import { DEFAULT_DTYPE, type Dtype, weightStorage } from "../../../src/formats/registry.ts";
import type { OperatorCheck } from "../../../src/model/operator.ts";
import { packTiles, paddedEnd } from "../../../src/model/pack.ts";
import { type CheckedModel, expecting, MOST_CHECKED, type Trial } from "../../../src/model/trial.ts";
import type { Tuning } from "../../../src/model/tuning.ts";
import { padRows, randomArray } from "../../../src/model/values.ts";
import {
  isFor,
  type LinearForm,
  type LinearOptions,
  linearPlan,
  linearRowForm,
  linearRowsForms,
  linearUses,
  NORMED_USES,
} from "./forms.ts";
import { layerNormCpu } from "../layer_norm/reference.ts";
import { linearCpu } from "./reference.ts";

/**
 * Per term of a sum, times the bias where that is larger than 1: an addition rounds by at most 2^-24 of a partial
 * sum, which is mostly below 3. A term that is wrong or missing changes the sum by about 0.3.
 */
const TOLERANCE_PER_TERM = 2e-7;
/** The same where a layer norm makes the input: its elements have an error of their own, as in trials of the norm. */
const TOLERANCE_PER_NORMED = 5e-6;

/** Steps from zero to the largest input of a group, at least. */
const ROUNDING_STEPS = 127;

/** A kernel with the tuning that it belongs to. */
export interface LinearKernel {
  readonly form: LinearForm;
  readonly tuning: Tuning;
}

/** Lists the kernels of a tuning: for one row, and for many. Default: of weights in float32. */
export function linearKernelsOf(tuning: Tuning, dtype: Dtype = DEFAULT_DTYPE): LinearKernel[] {
  return [linearRowForm(tuning, dtype), ...linearRowsForms(tuning, dtype)].map((form) => ({ form, tuning }));
}

/** The subject of a trial. */
export interface LinearCase extends LinearKernel, LinearOptions {
  readonly config: Gpt2Config;
  readonly nIn: number;
  readonly nOut: number;
  /** Storage type of the weights. Default: float32. */
  readonly dtype?: Dtype;
  /** Inputs, of as many rows as there are. Default: random ones. */
  readonly inputs?: Float32Array<ArrayBuffer>;
  /** Factor of the bias. Default: 1. */
  readonly biasScale?: number;
}

/** Makes a trial of each number of rows: a GEMM computes whole groups of them, so that the surplus is poison in and out. */
export function linearTrials(item: LinearCase, rowCounts: readonly number[]): Trial[] {
  const { form, tuning, nIn, nOut, dtype = DEFAULT_DTYPE, biasScale = 1 } = item;
  const { bias = false, gelu = false, residual = false, normed = false } = item;
  const config = normed ? { ...item.config, nEmbd: nIn } : item.config;
  const k4 = Math.ceil(nIn / 4), n4 = Math.ceil(nOut / 4), { yStride4 = n4, yOffset4 = 0 } = item;
  const k = paddedEnd(nIn, k4), n = paddedEnd(nOut, n4);
  const source = { values: randomArray(nIn * nOut, 1), strideK: nOut, strideN: 1, k, n };
  const biasValues = randomArray(nOut, 2).map((value) => value * biasScale);
  const poison = (length: number) => new Float32Array(length).fill(NaN);
  const { tileGroup, byVector } = tuning;
  const { tiles, scale = poison(4) } = packTiles(source, { tileGroup, byVector, dtype });
  const storage = weightStorage(dtype), rounding = storage.inputs, weight = storage.stored(source);
  const gamma = randomArray(nIn, 3), beta = randomArray(nIn, 4), epsilon = config.layerNormEpsilon;
  const padded = (values: Float32Array) => padRows(values, { width: nIn, map: k });
  return rowCounts.map((nRows): Trial => {
    const allRows = Math.ceil(nRows / form.rows) * form.rows;
    const values = item.inputs ?? randomArray(nRows * nIn, nRows),
      old = randomArray(nRows * nOut, nRows + 100);
    const x = poison(allRows * k4 * 4);
    // Nearer to a step than to the middle of two: there the last bit would say which way to round.
    rounding?.rounded(values, nIn).forEach((step, i) => values[i] = (values[i]! + step) / 2);
    if (normed) {
      values.forEach((value, i) => values[i] = value + 4);
      values.fill(4, 0, nIn); // a row without variance must not divide by zero
    }
    x.set(padded(values));
    const place = (values: ArrayLike<number>) => {
      const rows = padRows(values, { width: nOut, map: n }), y = poison((allRows + 1) * yStride4 * 4);
      for (let r = 0; r < rows.length / (n4 * 4); r++) {
        y.set(rows.subarray(r * n4 * 4, (r + 1) * n4 * 4), (r * yStride4 + yOffset4) * 4);
      }
      return y;
    };
    const input = normed ? layerNormCpu(values, { gamma, beta, epsilon }) : values;
    // A norm's result may lie in the middle: one of a row's inputs may be rounded the other way.
    const rounded = rounding && normed ? largest(input) / ROUNDING_STEPS * largest(weight) : 0;
    const expected = place(linearCpu(rounding?.rounded(input, nIn) ?? input, {
      weight,
      nIn,
      nOut,
      gelu,
      ...(bias && { bias: biasValues }),
      ...(residual && { residual: old }),
    }));
    return {
      config,
      tuning,
      weightsDtype: dtype,
      spans: [{ sequence: 0, first: 0, count: nRows, outputs: 0 }],
      buffers: {
        x,
        y: place(residual ? old : []),
        weight: tiles,
        scale,
        bias: bias ? padRows(biasValues, { width: nOut, map: n }) : poison(4),
        ...normed && { gamma: padded(gamma), beta: padded(beta) },
      },
      dispatches: [{
        uses: normed ? NORMED_USES : linearUses(item),
        plan: (context) => linearPlan(context, { ...item, k4, n4 }, form),
      }],
      judge: expecting("y", expected, {
        what: `${nRows} rows of ${nIn} to ${nOut}`,
        tolerance: rounded +
          (normed ? TOLERANCE_PER_NORMED : TOLERANCE_PER_TERM) * (nIn + 2) * Math.max(1, biasScale),
        width: yStride4 * 4,
      }),
    };
  });
}

function largest(values: ArrayLike<number>): number {
  return Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/** Lists each kernel with GELU, and in every storage type with a residual, over the longest sums. */
export function linearChecks({ config, tunings, weightsDtypes }: CheckedModel): OperatorCheck[] {
  const most = (outputs: number) => Math.min(outputs, MOST_CHECKED.outputs);
  const into = { nIn: config.nEmbd, nOut: most(config.nInner), bias: true, gelu: true, chained: true };
  const back = { nIn: config.nInner, nOut: most(config.nEmbd), bias: true, residual: true };
  return tunings.flatMap((tuning) =>
    weightsDtypes.flatMap((dtype, i) =>
      linearKernelsOf(tuning, dtype).map((kernel) => {
        const rowCounts = kernel.form.rows === 1 ? [1, 2] : [kernel.form.rows + 1];
        const normed = kernel.form.fuses && isFor(kernel.form, tuning.normedRows);
        return {
          file: kernel.form.files.at(-1)!,
          variant: `${dtype}, ${tuning.name} tuning`,
          trials: () =>
            [...i === 0 ? [into] : [], ...normed ? [{ ...into, normed }] : [], back].flatMap((shape) =>
              linearTrials({ ...kernel, ...shape, config, dtype }, rowCounts)
            ),
        };
      })
    )
  );
}
