/**
 * The likeliest next token for each output: found in one dispatch, or in many workgroups that another dispatch joins.
 *
 * @module
 */
import type { Operator } from "../../../src/model/operator.ts";
import type { Uses } from "../../../src/model/plan.ts";
import { GREEDY } from "../../../src/model/sampling.ts";
import {
  type Choice,
  choiceChecks,
  choiceCost,
  choicePlan,
  type ChoiceStage,
  scanWalk,
} from "../sample/choice.ts";
import wholeCode from "./argmax.wgsl" with { type: "text" };
import joinCode from "./argmax_join.wgsl" with { type: "text" };
import keysCode from "./argmax_keys.wgsl" with { type: "text" };
import partsCode from "./argmax_parts.wgsl" with { type: "text" };
import { argmaxCpu } from "./reference.ts";

const KEYS = { name: "argmax_keys.wgsl", code: keysCode };

/** Uses of the bindings of an argmax in one dispatch. */
export const ARGMAX_USES = { logits: "read", tokens: "readWrite" } as const satisfies Uses;
/** Uses of the bindings of the first of two. */
export const ARGMAX_PARTS_USES = { logits: "read", partial: "readWrite" } as const satisfies Uses;
/** Uses of the bindings of the second one. */
export const ARGMAX_JOIN_USES = { partial: "read", tokens: "readWrite" } as const satisfies Uses;

const WHOLE: ChoiceStage = {
  name: "argmax",
  files: [{ name: "argmax.wgsl", code: wholeCode }],
  uses: ARGMAX_USES,
  overrides: ({ argmaxLanes }, common) => ({ ...common, LANES: argmaxLanes }),
  walk: (tuning, vocabSize) => scanWalk(tuning, vocabSize, 1),
};
const PARTS: ChoiceStage = {
  name: "argmax",
  files: [{ name: "argmax_parts.wgsl", code: partsCode }, KEYS],
  uses: ARGMAX_PARTS_USES,
  overrides: ({ argmaxLanes, argmaxParts }, { N_VOCAB, LOGITS_STRIDE }) => ({
    ...{ N_VOCAB, LOGITS_STRIDE },
    ...{ PARTS: argmaxParts, LANES: argmaxLanes },
  }),
  workgroups: ({ argmaxParts }) => argmaxParts,
  walk: (tuning, vocabSize) => ({ ...scanWalk(tuning, vocabSize, tuning.argmaxParts), atOnce: 4 }),
};
const JOIN: ChoiceStage = {
  name: "argmax join",
  files: [{ name: "argmax_join.wgsl", code: joinCode }, KEYS],
  uses: ARGMAX_JOIN_USES,
  overrides: ({ argmaxParts }, { N_CTX }) => ({ N_CTX, LANES: argmaxParts }),
};

/** The choice. */
export const ARGMAX_CHOICE: Choice = {
  stages: ({ argmaxParts }) => argmaxParts === 1 ? [WHOLE] : [PARTS, JOIN],
  ways: [GREEDY],
  right: (logits) => [argmaxCpu(logits)],
};

/** The operator: the whole choice, or its first part. */
export const ARGMAX: Operator = {
  name: "argmax",
  files: [...WHOLE.files, ...PARTS.files],
  plans: (context) => [choicePlan(context, ARGMAX_CHOICE.stages(context.tuning)[0])],
  cost: choiceCost,
  checks: (model) => choiceChecks(ARGMAX_CHOICE, model, model.tunings),
};

/** The join of the parts. */
export const ARGMAX_JOIN: Operator = {
  name: "argmax join",
  files: JOIN.files,
  plans: (context) => [choicePlan(context, JOIN)],
  cost: ({ nOutputs }, { tuning: { argmaxParts } }) => ({ bytes: nOutputs * (8 * argmaxParts + 4), macs: 0 }),
  checks: () => [], // with the parts
};
