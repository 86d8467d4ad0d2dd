/**
 * The dry run: every policy of a plan without a GPU.
 *
 * @module
 */
import { DryExecutor } from "./dry_executor.ts";
import type { ServingEntry } from "./entry.ts";
import type { Hardware } from "./hardware.ts";
import type { ModelShape } from "./model_shape.ts";
import type { ServingPlan } from "./plan.ts";
import { runPolicy, servingKv, type ServingProgress } from "./run_policy.ts";

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
