/**
 * The run of one policy of a plan on any executor.
 *
 * @module
 */
import type { Executor } from "../engine/scheduler/executor.ts";
import { Scheduler } from "../engine/scheduler/scheduler.ts";
import { chooseKv } from "../kv/registry.ts";
import { type Kv, makeKv } from "../kv/strategy_def.ts";
import type { KvStorage } from "../kv/pool.ts";
import { type ServingEntry, servingEntry } from "./entry.ts";
import type { ModelShape } from "./model_shape.ts";
import { type MemoryPlan, plannedRequests, type ServingPlan } from "./plan.ts";
import type { TimedRequest } from "./requests.ts";
import { simulate } from "./simulate.ts";
import { Tally } from "./tally.ts";

/** Takes the number of finished requests of a policy. */
export type ServingProgress = (policy: string, nFinished: number) => void;

/** The parts of a run. */
interface PolicyRun {
  readonly plan: ServingPlan;
  readonly shape: ModelShape;
  readonly kv: Kv;
  readonly executor: Executor<TimedRequest>;
  /** Storage of K and V. Default: none, since nothing is computed. */
  readonly storage?: KvStorage;
  readonly onProgress?: ServingProgress;
}

/** Runs the plan's requests through one policy's memory. */
export async function runPolicy(run: PolicyRun): Promise<ServingEntry> {
  const { plan, shape, kv: { strategy: { name }, policy: memory }, executor, storage, onProgress } = run;
  const { maxSequences, preemption, limits, verify } = plan;
  const maxRows = memory.traits.keeps !== "nothing"
    ? plan.maxRows
    : Math.max(plan.maxRows, memory.usage().capacity);
  const scheduler = new Scheduler<TimedRequest>(memory, {
    nCtx: shape.nCtx,
    maxSequences,
    maxRows,
    preemption,
  });
  const tally = new Tally(limits);
  onProgress?.(name, 0);
  const nRefused = await simulate({
    scheduler,
    memory,
    executor,
    requests: plannedRequests(plan, shape, memory.blockSize),
    tally,
    verify,
    onProgress: (nFinished) => onProgress?.(name, nFinished),
  });
  return servingEntry({
    policy: name,
    storage: storage ?? null,
    capacity: memory.usage().capacity,
    nRefused,
    ms: executor.nowMs,
    tally,
    counters: scheduler.counters,
    limited: limits !== undefined,
  });
}

/**
 * Makes a strategy's memory for a plan.
 *
 * @throws {UsageError} If the budget has no room for a block or a region.
 */
export function servingKv(plan: MemoryPlan, shape: ModelShape, name: string): Kv {
  const { budgetBytes, swapBytes, kvOptions, maxSequences, maxRows, watermark } = plan;
  const { nCtx, nLayer, kvTokenBytes } = shape;
  return makeKv(chooseKv(name, kvOptions), {
    ...{ nSequences: maxSequences, nLayer, nCtx, maxTokens: nCtx, maxRows, watermark },
    budgetTokens: Math.floor(budgetBytes / kvTokenBytes),
    swapTokens: Math.floor(swapBytes / kvTokenBytes),
  });
}
