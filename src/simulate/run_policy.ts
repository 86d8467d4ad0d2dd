/**
 * The run of one policy of a plan: the loop that takes a stream of requests through a scheduler, on the GPU or as a dry
 * run.
 */
import type { Executor } from "../engine/scheduler/executor.ts";
import { Scheduler } from "../engine/scheduler/scheduler.ts";
import type { Step } from "../engine/scheduler/step.ts";
import type { KvPolicy } from "../kv/policy.ts";
import { chooseKv } from "../kv/registry.ts";
import { type Kv, makeKv } from "../kv/strategy_def.ts";
import type { KvStorage } from "../kv/pool.ts";
import { type ServingEntry, servingEntry } from "./entry.ts";
import { type Layout, LAYOUT_SEQUENCES } from "./layout.ts";
import type { ModelShape } from "./model_shape.ts";
import { type MemoryPlan, plannedRequests, type ServingPlan } from "./plan.ts";
import type { TimedRequest } from "./requests.ts";
import { Tally } from "./tally.ts";

/** Takes the number of finished requests of a policy. */
export type ServingProgress = (policy: string, nFinished: number) => void;

/** Most requests that wait in the scheduler; the others wait in the stream, which needs no memory. */
const MOST_WAITING = 256;

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

/**
 * Runs a plan's requests through one policy's memory until each has its tokens.
 *
 * @throws {Error} If anything is left in the memory, or the plan's `verify` finds an invariant broken.
 */
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
  const requests = plannedRequests(plan, shape, memory.blockSize);
  onProgress?.(name, 0);
  let nRefused = 0;
  let layout: Layout | null = null, fullest = 0;
  let next = requests.next();
  for (;;) {
    while (!next.done && next.value.arrivalMs <= executor.nowMs && scheduler.nWaiting < MOST_WAITING) {
      if (scheduler.refusal(next.value) === undefined) scheduler.submit(next.value);
      else nRefused++;
      next = requests.next();
    }
    const step = scheduler.step();
    if (verify) memory.verify();
    if (step === undefined) {
      if (next.done) break;
      const passed = executor.until(next.value.arrivalMs);
      if (passed !== undefined) await passed;
      continue;
    }
    const startMs = executor.nowMs;
    const done = executor.run(step);
    if (done !== undefined) await done;
    // Before the first request ends, blocks lie in the order in which they were asked for.
    if (memory.blockSize !== undefined && tally.nFinished > 0 && step.spans.length > fullest) {
      fullest = step.spans.length;
      layout = layoutOf(step, memory, executor.nowMs);
    }
    tally.add(step, memory.usage(), startMs, executor.nowMs);
    if (step.finished.length > 0) onProgress?.(name, tally.nFinished);
  }
  const { capacity, free } = memory.usage();
  if (free !== capacity) throw new Error(`${capacity - free} of ${capacity} K/V tokens were leaked`);
  return servingEntry({
    policy: name,
    storage: storage ?? null,
    capacity,
    nRefused,
    ms: executor.nowMs,
    tally,
    counters: scheduler.counters,
    limited: limits !== undefined,
    layout,
  });
}

/** Returns the block tables of a step's first sequences. */
function layoutOf({ spans }: Step<TimedRequest>, policy: KvPolicy, at_ms: number): Layout {
  const block = policy.blockSize!;
  return {
    at_ms,
    block_tokens: block,
    pool_blocks: Math.floor(policy.nSlots / block),
    sequences: spans.slice(0, LAYOUT_SEQUENCES).map(({ sequence: { group, number }, first, count }) => ({
      request: group.request.id,
      tokens: first + count,
      blocks: policy.place(number).slice(0, Math.ceil((first + count) / block)),
    })),
  };
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
