/**
 * The runs of a serving plan, policy after policy: on the GPU with greedy decoding, or as a dry run without one.
 */
import { GpuExecutor } from "../engine/gpu_executor.ts";
import type { Dtype } from "../formats/registry.ts";
import type { Model } from "../model/model.ts";
import { DryExecutor } from "./dry_executor.ts";
import type { ServingEntry } from "./entry.ts";
import type { Hardware } from "./hardware.ts";
import { IdsCheck } from "./ids_check.ts";
import type { ModelShape } from "./model_shape.ts";
import { promptIdsOf, type ServingPlan } from "./plan.ts";
import type { TimedRequest } from "./requests.ts";
import { runPolicy, servingKv, type ServingProgress } from "./run_policy.ts";

/**
 * Runs every policy of a plan and compares the ids that they give each request.
 *
 * @throws {UsageError} If a block does not fit the budget, or a limit is too small.
 * @throws {KvbenchError} If the policies disagree on an id, a buffer is too large, or the device fails.
 */
export async function gpuRun(
  plan: ServingPlan,
  shape: ModelShape,
  model: Model,
  { kvDtype, onProgress }: { readonly kvDtype: Dtype; readonly onProgress?: ServingProgress },
): Promise<ServingEntry[]> {
  const { vocabSize } = model.config;
  const entries: ServingEntry[] = [];
  const check = new IdsCheck();
  for (const policy of plan.policies) {
    const kv = servingKv(plan, shape, policy);
    const executor = await GpuExecutor.create<TimedRequest>(model, kv, {
      maxSequences: plan.maxSequences,
      maxRows: plan.maxRows,
      kvDtype,
      promptOf: (request) => promptIdsOf(request, plan, vocabSize),
      onEnded: ({ group, index }, ids) => {
        if (kv.policy.traits.exact) check.add({ request: group.request.id, index, ids });
      },
    });
    try {
      executor.start();
      const entry = await runPolicy({
        plan,
        shape,
        kv,
        executor,
        storage: executor.runner.pool.storage,
        ...(onProgress && { onProgress }),
      });
      await executor.runner.settle();
      entries.push(entry);
    } finally {
      executor.runner.dispose();
    }
    if (!kv.policy.traits.exact) continue;
    const isFirst = check.isFirst;
    const { compared, ties } = await check.finish(model, policy, kvDtype);
    if (!isFirst) entries.at(-1)!.ids_check = { compared, ties };
  }
  return entries;
}

/**
 * Simulates every policy of a plan on a GPU that is known by its rates.
 *
 * @throws {UsageError} If a block does not fit the budget, or a limit is too small.
 */
export async function dryRun(
  plan: ServingPlan,
  shape: ModelShape,
  { hardware, onProgress }: { readonly hardware: Hardware; readonly onProgress?: ServingProgress },
): Promise<ServingEntry[]> {
  const entries: ServingEntry[] = [];
  for (const policy of plan.policies) {
    const kv = servingKv(plan, shape, policy), executor = new DryExecutor(hardware, shape, kv.policy);
    entries.push(await runPolicy({ plan, shape, kv, executor, ...(onProgress && { onProgress }) }));
  }
  return entries;
}
