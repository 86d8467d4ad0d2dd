/**
 * The GPU memory that a ladder needs beside the weights of its lowest rung, computed before anything is allocated.
 */
import {
  decodingNeed,
  inTurn,
  type NeedContext,
  together,
  withOther,
  type WorkNeed,
} from "../../engine/work_need.ts";
import { MEASURING_BYTES } from "../run/bench_need.ts";
import type { LadderPlan } from "./ladder_result.ts";
import { MOST_ROWS } from "./rung_run.ts";
import { wholeRungs } from "./rungs.ts";

/**
 * Returns the need of the two largest rungs that take turns.
 *
 * @param otherWeightsBytes Bytes of the weights in the other storage types.
 */
export function ladderNeed(context: NeedContext, plan: LadderPlan, otherWeightsBytes: number): WorkNeed {
  const prompt = plan.prompt_ids.length;
  const needs = wholeRungs().map(({ kv, batch }) =>
    decodingNeed(context, {
      ...kv,
      nSequences: batch,
      // Steps of continuous batching are bounded, and in a decoder each sequence has as many.
      maxPromptTokens: batch === 1 ? prompt : Math.ceil(MOST_ROWS / batch),
      maxTokens: prompt + plan.new_tokens,
    })
  );
  const pairs = [
    ...needs.slice(1).map((need, i) => together(needs[i]!, need)),
    together(needs[0]!, needs.at(-1)!),
  ];
  return withOther(inTurn(...pairs), { gpu: otherWeightsBytes + MEASURING_BYTES });
}
