/**
 * The kernels that find the likeliest token of an output: one, or one that looks at parts and one that joins them.
 */
import type { Uses } from "../../../src/model/plan.ts";
import { GREEDY } from "../../../src/model/sampling.ts";
import type { Tuning } from "../../../src/model/tuning.ts";
import { type Choice, type ChoiceStage, scanWalk } from "../sample/choice.ts";
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

/** The whole choice. */
export const WHOLE: ChoiceStage = {
  name: "argmax",
  files: [{ name: "argmax.wgsl", code: wholeCode }],
  uses: ARGMAX_USES,
  overrides: ({ argmaxLanes }, common) => ({ ...common, LANES: argmaxLanes }),
  walk: (tuning, vocabSize) => scanWalk(tuning.argmaxLanes, vocabSize, 1),
};
/** The parts. */
export const PARTS: ChoiceStage = {
  name: "argmax",
  files: [{ name: "argmax_parts.wgsl", code: partsCode }, KEYS],
  uses: ARGMAX_PARTS_USES,
  overrides: ({ argmaxLanes, argmaxParts }, { N_VOCAB, LOGITS_STRIDE }) => ({
    ...{ N_VOCAB, LOGITS_STRIDE },
    ...{ PARTS: argmaxParts, LANES: argmaxLanes },
  }),
  workgroups: ({ argmaxParts }) => argmaxParts,
  walk: (tuning, vocabSize) => ({
    ...scanWalk(tuning.argmaxLanes, vocabSize, tuning.argmaxParts),
    atOnce: 4,
  }),
};
/** Joins so many parts of an output. */
export function joinOf(parts: number): ChoiceStage {
  const lanesOf = ({ argmaxLanes }: Tuning) => Math.min(argmaxLanes, 2 ** Math.ceil(Math.log2(parts)));
  return {
    name: "argmax join",
    files: [{ name: "argmax_join.wgsl", code: joinCode }, KEYS],
    uses: ARGMAX_JOIN_USES,
    overrides: (tuning, { N_CTX }) => ({ N_CTX, PARTS: parts, LANES: lanesOf(tuning) }),
    walk: (tuning) => {
      const lanes = lanesOf(tuning);
      return { lanes, trips: Math.ceil(parts / lanes), atOnce: 4, bytes: 8, at: (lane) => 8 * lane };
    },
  };
}

/** The choice. */
export const ARGMAX_CHOICE: Choice = {
  stages: ({ argmaxParts }) => argmaxParts === 1 ? [WHOLE] : [PARTS, joinOf(argmaxParts)],
  ways: [GREEDY],
  right: (logits) => [argmaxCpu(logits)],
};
