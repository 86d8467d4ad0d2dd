/**
 * The likeliest next token for each output.
 *
 * @module
 */
import type { Operator } from "../../../src/model/operator.ts";
import type { Uses } from "../../../src/model/plan.ts";
import { GREEDY } from "../../../src/model/sampling.ts";
import { type Choice, choiceChecks, choiceCost, choicePlan } from "../sample/choice.ts";
import code from "./argmax.wgsl" with { type: "text" };
import { argmaxCpu } from "./reference.ts";

/** Uses of its bindings. */
export const ARGMAX_USES = { logits: "read", tokens: "readWrite" } as const satisfies Uses;

/** The choice. */
export const ARGMAX_CHOICE: Choice = {
  name: "argmax",
  file: { name: "argmax.wgsl", code },
  uses: ARGMAX_USES,
  ways: [GREEDY],
  right: (logits) => [argmaxCpu(logits)],
};

/** The operator. */
export const ARGMAX: Operator = {
  name: "argmax",
  files: [ARGMAX_CHOICE.file],
  plans: (context) => [choicePlan(context, ARGMAX_CHOICE)],
  cost: choiceCost,
  checks: (model) => choiceChecks(ARGMAX_CHOICE, model),
};
