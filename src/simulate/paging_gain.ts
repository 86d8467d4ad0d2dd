/**
 * The gain that paging is for: the sequences that run at once in the same K/V memory with blocks, against regions of a
 * whole context each. Scheduler and allocators are the real ones; only time is modelled.
 */
import { plainStrategy, sharingStrategy } from "../kv/registry.ts";
import type { PagingGain } from "../measure/record/paging_gain.ts";
import { HARDWARE } from "./hardware.ts";
import { FITTED_CONTEXT } from "./lengths.ts";
import type { ModelShape } from "./model_shape.ts";
import type { ServingPlan } from "./plan.ts";
import { dryRun } from "./run_plan.ts";

/** Whole contexts that the memory has room for, as of `serve-sim`. */
const CONTEXTS = 4;
/** Requests, which come all at once. */
const REQUESTS = 200;
/** Data set that lengths are fitted to. */
const DATA_SET = "sharegpt";

/**
 * Simulates both.
 *
 * @throws {UsageError} If a block does not fit the memory.
 */
export async function pagingGain(shape: ModelShape, seed: number): Promise<PagingGain> {
  const names = [plainStrategy().name, sharingStrategy().name] as const;
  const plan: ServingPlan = {
    budgetBytes: CONTEXTS * shape.nCtx * shape.kvTokenBytes,
    swapBytes: 0,
    watermark: undefined,
    kvOptions: {},
    preemption: "recompute",
    maxSequences: 256,
    maxRows: 2048,
    policies: names,
    lengths: { dataSet: DATA_SET },
    lengthScale: shape.nCtx / FITTED_CONTEXT,
    nRequests: REQUESTS,
    ratePerSecond: undefined,
    continuations: 1,
    prefixes: undefined,
    seed,
    limits: undefined,
    verify: false,
  };
  const [regions, blocks] = (await dryRun(plan, shape, { hardware: HARDWARE[0]! })).map((
    { policy, sequences_mean },
  ) => ({ strategy: policy, mean: sequences_mean }));
  return {
    requests: REQUESTS,
    lengths: DATA_SET,
    budget_tokens: CONTEXTS * shape.nCtx,
    regions: regions!,
    blocks: blocks!,
  };
}
