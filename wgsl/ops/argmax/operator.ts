/**
 * The likeliest next token for each output: found in one dispatch, or in parts, by a dispatch or by the head's product, that
 * another dispatch joins.
 */
import type { Operator } from "../../../src/model/operator.ts";
import { choiceChecks, choiceCost, choicePlan } from "../sample/choice.ts";
import { headChoiceChecks } from "./head_trials.ts";
import { ARGMAX_CHOICE, joinOf, PARTS, WHOLE } from "./stages.ts";

/** The operator: the whole choice, or its first part. */
export const ARGMAX: Operator = {
  name: "argmax",
  files: [...WHOLE.files, ...PARTS.files],
  plans: (context) => [choicePlan(context, ARGMAX_CHOICE.stages(context.tuning)[0])],
  cost: choiceCost,
  checks: (model) => choiceChecks(ARGMAX_CHOICE, model, model.tunings),
};

/** The parts that are joined: those of {@linkcode ARGMAX}, or those that the head's product has found. */
interface JoinOf {
  /** Their number for an output. */
  readonly parts: number;
}

/** The join of the parts. */
export const ARGMAX_JOIN: Operator<JoinOf> = {
  name: "argmax join",
  files: joinOf(1).files,
  plans: (context, { parts }) => [choicePlan(context, joinOf(parts))],
  cost: ({ nOutputs }, _model, { parts }) => ({ bytes: nOutputs * (8 * parts + 4), macs: 0 }),
  checks: headChoiceChecks,
};
