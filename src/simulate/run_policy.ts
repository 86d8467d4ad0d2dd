/**
 * The run of one policy of a plan on any executor.
 *
 * @module
 */
import type { createMemory, PolicyName } from "../engine/scheduler/create_memory.ts";
import type { Executor } from "../engine/scheduler/executor.ts";
import type { KvMemory } from "../engine/scheduler/kv_memory.ts";
import { Scheduler } from "../engine/scheduler/scheduler.ts";
import { type ServingEntry, servingEntry } from "./entry.ts";
import type { ModelShape } from "./model_shape.ts";
import { type MemoryPlan, plannedRequests, type ServingPlan } from "./plan.ts";
import type { TimedRequest } from "./requests.ts";
import { simulate } from "./simulate.ts";
import { Tally } from "./tally.ts";

/** Takes the number of finished requests of a policy. */
export type ServingProgress = (policy: PolicyName, nFinished: number) => void;

/** The parts of a run. */
interface PolicyRun {
  readonly plan: ServingPlan;
  readonly shape: ModelShape;
  readonly policy: PolicyName;
  readonly memory: KvMemory;
  readonly executor: Executor<TimedRequest>;
  readonly onProgress?: ServingProgress;
}

/** Runs the plan's requests through one policy's memory. */
export async function runPolicy(run: PolicyRun): Promise<ServingEntry> {
  const { plan, shape, policy, memory, executor, onProgress } = run;
  const { maxSequences, preemption, limits, verify } = plan;
  const maxRows = memory.keeps ? plan.maxRows : Math.max(plan.maxRows, memory.usage().capacity);
  const scheduler = new Scheduler<TimedRequest>(memory, {
    nCtx: shape.nCtx,
    maxSequences,
    maxRows,
    preemption,
  });
  const tally = new Tally(limits);
  onProgress?.(policy, 0);
  const nRefused = await simulate({
    scheduler,
    memory,
    executor,
    requests: plannedRequests(plan, shape),
    tally,
    verify,
    onProgress: (nFinished) => onProgress?.(policy, nFinished),
  });
  return servingEntry({
    policy,
    capacity: memory.usage().capacity,
    nRefused,
    ms: executor.nowMs,
    tally,
    counters: scheduler.counters,
    limited: limits !== undefined,
  });
}

/** What the plan's memories are made of. */
export function memoryOptions(plan: MemoryPlan, shape: ModelShape): Parameters<typeof createMemory>[1] {
  const { budgetBytes, swapBytes, blockSize, allocator, maxRows, watermark } = plan;
  return {
    budgetTokens: Math.floor(budgetBytes / shape.kvTokenBytes),
    swapTokens: Math.floor(swapBytes / shape.kvTokenBytes),
    nLayer: shape.nLayer,
    nCtx: shape.nCtx,
    maxRows,
    blockSize,
    allocator,
    ...(watermark !== undefined && { watermark }),
  };
}
