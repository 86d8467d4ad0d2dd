/**
 * A serving simulation on the GPU: every policy of a plan, one after the other, with greedy decoding.
 *
 * @module
 */
import { GpuExecutor } from "../engine/gpu_executor.ts";
import { createMemory } from "../engine/scheduler/create_memory.ts";
import type { Dtype } from "../formats/registry.ts";
import type { Gpt2 } from "../model/gpt2.ts";
import type { ServingEntry } from "./entry.ts";
import { IdsCheck } from "./ids_check.ts";
import type { ModelShape } from "./model_shape.ts";
import { promptIdsOf, type ServingPlan } from "./plan.ts";
import type { TimedRequest } from "./requests.ts";
import { memoryOptions, runPolicy, type ServingProgress } from "./run_policy.ts";

/** What a run on the GPU needs beside the plan. */
export interface GpuRunOptions {
  /** How K and V are stored. */
  readonly kvDtype: Dtype;
  /** Called with the requests that are finished so far. */
  readonly onProgress?: ServingProgress;
}

/**
 * Runs every policy of a plan and compares the ids that they give each request.
 *
 * @throws {UsageError} If the budget has no room for a block, or a limit is too small.
 * @throws {KvbenchError} If the policies disagree on an id, a buffer is too large, or the device fails.
 */
export async function gpuRun(
  plan: ServingPlan,
  shape: ModelShape,
  model: Gpt2,
  { kvDtype, onProgress }: GpuRunOptions,
): Promise<ServingEntry[]> {
  const { vocabSize } = model.config;
  const entries: ServingEntry[] = [];
  const check = new IdsCheck();
  for (const policy of plan.policies) {
    const memory = createMemory(policy, memoryOptions(plan, shape));
    const executor = await GpuExecutor.create<TimedRequest>(model, memory, {
      maxSequences: plan.maxSequences,
      maxRows: plan.maxRows,
      kvDtype,
      promptOf: (request) => promptIdsOf(request, plan, vocabSize),
      onEnded: ({ group, index }, ids) => check.add({ request: group.request.id, index, ids }),
    });
    try {
      executor.start();
      const entry = await runPolicy({
        plan,
        shape,
        policy,
        memory,
        executor,
        ...(onProgress && { onProgress }),
      });
      await executor.settle();
      entries.push(entry);
    } finally {
      executor.dispose();
    }
    const { compared, ties } = await check.finish(model, policy, kvDtype);
    if (entries.length > 1) entries.at(-1)!.ids_check = { compared, ties };
  }
  return entries;
}
