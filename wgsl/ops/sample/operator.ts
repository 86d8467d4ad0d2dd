/** A sampled next token for each output. */
import type { Operator } from "../../../src/model/operator.ts";
import type { Uses } from "../../../src/model/plan.ts";
import type { Tuning } from "../../../src/model/tuning.ts";
import {
  type Choice,
  choiceChecks,
  choiceCost,
  choicePlan,
  type ChoiceStage,
  SAMPLINGS,
  scanWalk,
} from "./choice.ts";
import { sampleCpu } from "./reference.ts";
import code from "./sample.wgsl" with { type: "text" };

/** Uses of its bindings. */
export const SAMPLE_USES = { logits: "read", tokens: "readWrite", sampling: "read" } as const satisfies Uses;

/**
 * Nats by which scores, and share by which top-p, may differ from the reference: f32 has 6e-8 of each score,
 * which is below 2 ** 7 where it matters, and rounding masses down loses at most 50257 * 2 ** -30 = 5e-5.
 */
export const CHOICE_TOLERANCE = 1e-4;

/** Logits that a lane has under way at once: many where lanes wait for memory, which CPU-like adapters' do not. */
function atOnce({ sampleLanes }: Tuning): number {
  return sampleLanes > 64 ? 8 : 1;
}

const STAGE: ChoiceStage = {
  name: "sample",
  files: [{ name: "sample.wgsl", code }],
  uses: SAMPLE_USES,
  overrides: (tuning, common) => ({
    ...common,
    ...{ LANES: tuning.sampleLanes, BIN_BITS: tuning.sampleBits, AT_ONCE: atOnce(tuning) },
  }),
  walk: (tuning, vocabSize) => ({
    ...scanWalk(tuning.sampleLanes, vocabSize, 1),
    atOnce: atOnce(tuning),
  }),
};

/** The choice. */
export const SAMPLE_CHOICE: Choice = {
  stages: () => [STAGE],
  ways: SAMPLINGS,
  right: (logits, sampling, position) =>
    sampleCpu(logits, sampling, { position, tolerance: CHOICE_TOLERANCE }),
};

/** The operator. */
export const SAMPLE: Operator = {
  name: "sample",
  files: STAGE.files,
  plans: (context) => [choicePlan(context, STAGE)],
  cost: choiceCost,
  checks: (model) => choiceChecks(SAMPLE_CHOICE, model, model.tunings.slice(0, 1)),
};
