/** Trials of products that join the splits of a decode attention and read what they have joined. */
import type { OperatorCheck } from "../../../src/model/operator.ts";
import { type CheckedModel, MOST_CHECKED, type Trial } from "../../../src/model/trial.ts";
import type { Tuning } from "../../../src/model/tuning.ts";
import { DECODE_SPANS, madeSplits, type SplitCase } from "../attention/trials.ts";
import { linearPlan, PRODUCTS } from "./forms.ts";
import { type LinearKernel, linearKernelsOf, linearTrials } from "./trials.ts";

/** Width of the output: the columns are checked elsewhere. */
const N_OUT = 20;

/** Makes a trial over made-up splits of a row for each context. */
export function joinedTrial({ nHead, headDim, ...kernel }: SplitCase & LinearKernel): Trial {
  const { config, partial, joined } = madeSplits({ nHead, headDim, ...kernel });
  const nRows = DECODE_SPANS.length, nIn = joined.length / nRows;
  const item = { ...PRODUCTS.proj, ...kernel, config, nIn, nOut: N_OUT, inputs: joined };
  const [product] = linearTrials(item, [nRows]) as [Trial];
  return {
    ...product,
    spans: DECODE_SPANS,
    buffers: { ...product.buffers, x: partial },
    dispatches: product.dispatches.map(({ uses }) => ({
      uses,
      plan: (context) =>
        linearPlan(context, { ...item, k4: nIn / 4, n4: N_OUT / 4, joins: true }, kernel.form),
    })),
  };
}

/** Lists the kernels of a tuning that can join splits. */
export function joiningKernelsOf(tuning: Tuning): LinearKernel[] {
  if (tuning.splitTokens === 0 || tuning.texels) return [];
  return linearKernelsOf(tuning).filter(({ form }) => form.fuses);
}

/** Lists each kernel with the model's heads. */
export function joinedChecks({ config: { nHead, headDim }, tunings }: CheckedModel): OperatorCheck[] {
  return tunings.flatMap((tuning) =>
    joiningKernelsOf(tuning).map((kernel) => ({
      file: kernel.form.files.at(-1)!,
      variant: `joining splits, ${tuning.name} tuning`,
      trials: () => [joinedTrial({ ...kernel, nHead: Math.min(nHead, MOST_CHECKED.heads), headDim })],
    }))
  );
}
