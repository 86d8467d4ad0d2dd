/**
 * Trials of the head's product that finds likeliest tokens in passing, together with the join: what they choose is what the
 * reference chooses among the logits that the product has left.
 */
import type { OperatorCheck } from "../../../src/model/operator.ts";
import { type CheckedModel, MOST_CHECKED, type Trial, type TrialDispatch } from "../../../src/model/trial.ts";
import { BEST_USES, headPartsOf, isFor, linearPlan } from "../linear/forms.ts";
import { type LinearKernel, linearKernelsOf, linearTrials } from "../linear/trials.ts";
import { choicePlan, POISON } from "../sample/choice.ts";
import { argmaxCpu } from "./reference.ts";
import { ARGMAX_JOIN_USES, joinOf } from "./stages.ts";

/** Width of the input: the sums are checked elsewhere. */
const N_IN = 20;
const N_CTX = 12;

/** Inputs of two rows, for logits that differ, that are all the same, and that are not finite. */
const INPUTS: Readonly<Record<string, readonly [(value: number) => number, (value: number) => number]>> = {
  "random, and all equal": [(value) => value, () => 0],
  "not finite, and random": [() => NaN, (value) => -value],
};

/** Makes trials of two rows over a vocabulary in two shards, which have the same weights and other inputs. */
export function headChoiceTrials(
  { form, tuning }: LinearKernel,
  { config: own, vocabSize }: Pick<CheckedModel, "config"> & { readonly vocabSize: number },
): Trial[] {
  const config = { ...own, vocabSize, nCtx: N_CTX }, n4 = Math.ceil(vocabSize / 4), near = Math.ceil(n4 / 2);
  const shards = [near, n4 - near].filter((n4) => n4 > 0).map((n4) => ({ k4: N_IN / 4, n4 }));
  const parts = headPartsOf(tuning, shards);
  return Object.entries(INPUTS).map(([name, changes]) => {
    const [product] = linearTrials({ form, tuning, config, nIn: N_IN, nOut: 4 * near }, [2]) as [Trial];
    const x = (product.buffers["x"] as Float32Array<ArrayBuffer>).map((value, i) =>
      changes[i < N_IN ? 0 : 1]!(value)
    );
    return {
      ...product,
      config,
      spans: [{ sequence: 1, first: 3, count: 1, outputs: 1 }, {
        sequence: 0,
        first: 7,
        count: 1,
        outputs: 1,
      }],
      buffers: {
        ...product.buffers,
        ...{ x0: x, x1: x.map((value) => 0.9 - value) },
        y: new Float32Array(3 * 4 * n4).fill(NaN),
        partial: new Uint32Array(2 * 2 * parts[0]!.parts).fill(POISON),
        tokens: new Uint32Array(2 * N_CTX).fill(POISON),
      },
      dispatches: [
        ...shards.map((shard, i): TrialDispatch => ({
          uses: BEST_USES,
          bound: { x: `x${i}` },
          plan: (context) => {
            const place = { yStride4: n4, yOffset4: i * near, best: parts[i]! };
            return linearPlan(context, { ...shard, ...place, ofOutputs: true }, form);
          },
        })),
        {
          uses: ARGMAX_JOIN_USES,
          plan: (context) => choicePlan(context, joinOf(parts[0]!.parts)),
        },
      ],
      judge: async (outcome) => {
        const logits = await outcome.floats("y"), tokens = await outcome.words("tokens");
        const expected = new Uint32Array(2 * N_CTX).fill(POISON);
        expected[N_CTX + 4] = argmaxCpu(logits.subarray(0, vocabSize));
        expected[8] = argmaxCpu(logits.subarray(4 * n4, 4 * n4 + vocabSize));
        const wrong = tokens.findIndex((token, i) => token !== expected[i]);
        return {
          what: `choices among ${vocabSize} tokens, logits ${name}`,
          largestError: wrong < 0 ? 0 : 1,
          tolerance: 0,
          at: wrong < 0 ? "every choice is right" : `${wrong}: ${tokens[wrong]}, expected ${expected[wrong]}`,
        };
      },
    };
  });
}

/** Lists the heads of the tunings that choose. */
export function headChoiceChecks({ config, tunings }: CheckedModel): OperatorCheck[] {
  const vocabSize = Math.min(config.vocabSize, MOST_CHECKED.outputs);
  return tunings.flatMap((tuning) =>
    linearKernelsOf(tuning).filter(({ form }) => form.fuses && isFor(form, tuning.chosenRows)).map((
      kernel,
    ) => ({
      file: kernel.form.files.at(-1)!,
      variant: `choosing tokens, ${tuning.name} tuning`,
      trials: () => headChoiceTrials(kernel, { config, vocabSize }),
    }))
  );
}
