/**
 * The memory that serving a plan takes beside the weights, computed before anything is allocated.
 *
 * @module
 */
import { createMemory, type PolicyName } from "../engine/scheduler/create_memory.ts";
import { inTurn, type NeedContext, sharedNeed, withOther, type WorkNeed } from "../engine/work_need.ts";
import type { Dtype } from "../formats/registry.ts";
import type { MemoryPlan } from "./plan.ts";
import { memoryOptions } from "./run_policy.ts";
import type { ModelShape } from "./model_shape.ts";

/** What is served. */
export interface Served {
  readonly plan: MemoryPlan;
  /** One after another. */
  readonly policies: readonly PolicyName[];
  readonly shape: ModelShape;
  readonly kvDtype: Dtype;
}

/** Policies come one after another; what is swapped out is on the host. */
export function servingNeed(context: NeedContext, { plan, policies, shape, kvDtype }: Served): WorkNeed {
  const { maxSequences, maxRows, preemption, swapBytes } = plan;
  const needs = policies.map((policy) =>
    sharedNeed(context, createMemory(policy, memoryOptions(plan, shape)), { maxSequences, maxRows, kvDtype })
  );
  return withOther(inTurn(...needs), { host: preemption === "swap" ? swapBytes : 0 });
}
