/** The memory that serving a plan needs besides the weights, computed before anything is allocated. */
import { inTurn, type NeedContext, sharedNeed, withOther, type WorkNeed } from "../engine/work_need.ts";
import type { Dtype } from "../formats/registry.ts";
import type { MemoryPlan } from "./plan.ts";
import { servingKv } from "./run_policy.ts";
import type { ModelShape } from "./model_shape.ts";

/** A plan, and the policies that it runs one after another. */
interface Served {
  readonly plan: MemoryPlan;
  readonly policies: readonly string[];
  readonly shape: ModelShape;
  readonly kvDtype: Dtype;
}

/** Returns the need of the largest policy; swapped K and V count as host memory. */
export function servingNeed(context: NeedContext, { plan, policies, shape, kvDtype }: Served): WorkNeed {
  const { maxSequences, maxRows, preemption, swapBytes } = plan;
  const needs = policies.map((policy) =>
    sharedNeed(context, servingKv(plan, shape, policy), { maxSequences, maxRows, kvDtype })
  );
  return withOther(inTurn(...needs), { host: preemption === "swap" ? swapBytes : 0 });
}
