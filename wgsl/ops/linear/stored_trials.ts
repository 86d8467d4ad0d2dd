/**
 * Trials of products that store K and V in passing: what lies in the slots is what the product has written to its output.
 */
import { isExactKv, isStoredByVector } from "../../../src/formats/kv_dtype.ts";
import { isRight } from "../../../src/base/comparison.ts";
import type { OperatorCheck } from "../../../src/model/operator.ts";
import { type CheckedKv, type CheckedModel, MOST_CHECKED, type Trial } from "../../../src/model/trial.ts";
import type { Tuning } from "../../../src/model/tuning.ts";
import { judgeStored, POISON, STORED_SPANS, STORED_TOKENS } from "../kv_write/operator.ts";
import { isFor, linearPlan, PRODUCTS } from "./forms.ts";
import { type LinearCase, type LinearKernel, linearKernelsOf, linearTrials } from "./trials.ts";

/** Width of the input: the sums are checked elsewhere. */
const N_IN = 20;

/** The subject of a trial. */
export interface StoredCase extends LinearKernel, CheckedKv, Pick<LinearCase, "config"> {
  readonly nHead: number;
  /** A multiple of four. */
  readonly headDim: number;
}

/** Makes a trial that computes the rows of four sequences and stores them over poison. */
export function storedTrial({ config: own, nHead, headDim, kind, dtype, ...kernel }: StoredCase): Trial {
  const nEmbd = nHead * headDim, a4 = nEmbd / 4, config = { ...own, nHead, headDim, nEmbd };
  const nRows = STORED_SPANS.reduce((sum, { count }) => sum + count, 0);
  const item = { ...PRODUCTS.qkv, normed: false, ...kernel, config, nIn: N_IN, nOut: 3 * nEmbd };
  const [product] = linearTrials(item, [nRows]) as [Trial];
  return {
    ...product,
    spans: STORED_SPANS,
    kv: { kind, dtype, nSequences: 4, tokensPerSequence: STORED_TOKENS, nHead, a4, byte: POISON },
    dispatches: product.dispatches.map(({ uses }) => ({
      uses,
      kv: "write",
      plan: (context, kv) => linearPlan(context, { ...item, k4: N_IN / 4, n4: 3 * a4, kv }, kernel.form),
    })),
    judge: async (outcome) => {
      const made = await product.judge(outcome);
      if (!isRight(made)) return made;
      const y = await outcome.floats("y"), tolerance = isExactKv(dtype) ? 0 : 1;
      const found = judgeStored(await outcome.kv(), STORED_SPANS, y, a4);
      return { what: `K and V of ${made.what}`, tolerance, ...found };
    },
  };
}

/** Lists the kernels of a tuning that store K and V. */
export function storingKernelsOf(tuning: Tuning): LinearKernel[] {
  return linearKernelsOf(tuning).filter(({ form }) => isFor(form, tuning.storedRows));
}

/** Lists each kernel with one memory, and the first one with all of them. */
export function storedChecks({ config, tunings, kvMemories }: CheckedModel): OperatorCheck[] {
  const nHead = Math.min(config.nHead, MOST_CHECKED.heads), headDim = Math.ceil(config.headDim / 4) * 4;
  return tunings.flatMap((tuning, t) => {
    const memories = kvMemories.filter(({ dtype }) => isStoredByVector(dtype, tuning));
    return storingKernelsOf(tuning).flatMap((kernel, k) =>
      (t === 0 && k === 0 ? memories : memories.slice(0, 1)).map((kv) => ({
        file: kernel.form.files.at(-1)!,
        variant: `storing K and V, ${kv.kind}, ${kv.dtype}, ${tuning.name} tuning`,
        trials: () => [storedTrial({ ...kernel, ...kv, config, nHead, headDim })],
      }))
    );
  });
}
