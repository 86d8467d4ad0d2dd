/**
 * The making of a serving simulation's record from its plan and its results.
 *
 * @module
 */
import { VERSION } from "../base/version.ts";
import type { ModelShape } from "./model_shape.ts";
import type { ServingPlan } from "./plan.ts";
import { parseServing, SERVING_KIND, type ServingResult, type ServingSetup } from "./result.ts";

/** Facts of a run that its plan does not hold. */
export interface RunFacts extends Pick<ServingSetup, "created" | "command" | "clock"> {}

/**
 * Makes the record of a simulation.
 *
 * @throws {KvbenchError} If it breaks its own format, which is a defect.
 */
export function servingRecord(
  plan: ServingPlan,
  shape: ModelShape,
  { results, ...facts }: RunFacts & Pick<ServingResult, "results">,
): ServingResult {
  const { kind, version: schema_version } = SERVING_KIND;
  const record = { schema_version, kind, ...servingSetup(plan, shape, facts), results };
  return parseServing(record, "the result of this run");
}

/** Makes the set-up part of a record. */
export function servingSetup(plan: ServingPlan, shape: ModelShape, facts: RunFacts): ServingSetup {
  return {
    kvbench: VERSION,
    ...facts,
    model: {
      name: shape.name,
      n_layer: shape.nLayer,
      width: shape.width,
      n_ctx: shape.nCtx,
      n_parameters: shape.parameters,
      weight_bytes: shape.weightBytes,
      kv_token_bytes: shape.kvTokenBytes,
    },
    workload: {
      lengths: "dataSet" in plan.lengths ? plan.lengths.dataSet : plan.lengths.file,
      length_scale: plan.lengthScale,
      requests: plan.nRequests,
      rate_per_second: plan.ratePerSecond ?? null,
      continuations: plan.continuations,
      prefix_groups: plan.prefixes?.groups ?? 0,
      prefix_tokens: plan.prefixes?.tokens ?? 0,
      seed: plan.seed,
    },
    limits: {
      kv_budget_bytes: plan.budgetBytes,
      swap_bytes: plan.swapBytes,
      kv_options: plan.kvOptions,
      watermark_blocks: plan.watermark ?? null,
      preemption: plan.preemption,
      max_sequences: plan.maxSequences,
      max_rows: plan.maxRows,
      ttft_ms: plan.limits?.ttftMs ?? null,
      tpot_ms: plan.limits?.tpotMs ?? null,
    },
  };
}
