/**
 * From `bench`'s options to the plan that is measured.
 *
 * @module
 */
import { UsageError } from "../../../base/errors.ts";
import type { Dtype } from "../../../formats/registry.ts";
import type { Growth, StrategyName } from "../../../kv/strategy.ts";
import { checkPlan } from "../../../measure/run/grid.ts";
import type { Plan } from "../../../measure/run/plan.ts";
import type { Gpt2Config } from "../../../checkpoint/config.ts";
import { promptIds, type Session } from "../../session/session.ts";
import type { Sweep } from "../../options/sweep.ts";

/** "The attention mechanism in deep learning is", as in the notebook that this project grew from. */
export const DEFAULT_PROMPT = "深度学习中的注意力机制是";

/** The options that a plan is made from. */
export interface PlanOptions {
  readonly prompt?: string;
  readonly promptIds?: number[];
  readonly promptTokens?: number;
  readonly newTokens: number;
  readonly batch: number;
  readonly strategies: StrategyName[];
  readonly blockSize: number;
  readonly kvDtype: Dtype;
  readonly growth: Growth;
  readonly kvCapacity?: number;
  readonly sweep?: Sweep;
  readonly warmup?: number;
  readonly runs?: number;
  readonly targetCi: number;
  readonly maxSeconds: number;
  readonly seed: number;
}

/**
 * Makes the plan.
 *
 * @throws {UsageError} If options exclude each other, or the plan does not fit the model.
 */
export async function planOf(
  options: PlanOptions,
  config: Gpt2Config,
  tokenizer: Session["tokenizer"],
): Promise<Plan> {
  const { sweep = {} } = options;
  const prompt = await promptOf(options, tokenizer);
  const plan: Plan = {
    prompt: prompt.text,
    prompt_ids: prompt.ids && [...prompt.ids],
    sampling: "greedy",
    strategies: options.strategies,
    grid: {
      prompt_tokens: prompt.lengths,
      new_tokens: [options.newTokens],
      batch: [options.batch],
      kv_dtype: [options.kvDtype],
      block_size: [options.blockSize],
      growth: [options.growth],
      kv_capacity_tokens: [options.kvCapacity ?? config.nCtx],
      ...sweep,
    },
    warmup_runs: options.warmup ?? null,
    runs: options.runs ?? null,
    target_ci: options.targetCi,
    max_seconds: options.maxSeconds,
    seed: options.seed,
  };
  checkPlan(plan, config);
  return plan;
}

/** The prompt's text and ids, or the lengths of made-up prompts. */
async function promptOf(
  { prompt, promptIds: ids, promptTokens, sweep }: PlanOptions,
  tokenizer: Session["tokenizer"],
): Promise<{ text: string | null; ids: readonly number[] | null; lengths: number[] }> {
  const lengths = sweep?.prompt_tokens ?? (promptTokens === undefined ? undefined : [promptTokens]);
  if (lengths !== undefined) {
    if (prompt !== undefined || ids !== undefined) {
      throw new UsageError(
        "A number of prompt tokens makes a prompt up: expected no --prompt or --prompt-ids",
      );
    }
    return { text: null, ids: null, lengths };
  }
  if (prompt === undefined && ids === undefined && !tokenizer) {
    throw new UsageError("This model has no tokenizer: expected --prompt-ids or --prompt-tokens");
  }
  const given = await promptIds(
    { prompt: ids === undefined ? prompt ?? DEFAULT_PROMPT : prompt, promptIds: ids },
    tokenizer,
  );
  if (given.ids.length === 0) throw new UsageError("The prompt is empty: expected at least one token");
  return { ...given, lengths: [given.ids.length] };
}
