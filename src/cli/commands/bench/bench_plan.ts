/** Makes the plan that is measured from `bench`'s options. */
import { UsageError } from "../../../base/errors.ts";
import { assertHeadFits, kvDtypeOf, partsOf } from "../../../formats/kv_dtype.ts";
import { strategyOptions } from "../../../kv/registry.ts";
import { checkPlan } from "../../../measure/run/grid.ts";
import type { Plan } from "../../../measure/run/plan.ts";
import type { Gpt2Config } from "../../../checkpoint/config.ts";
import type { BenchOptions } from "../../options/bench_options.ts";
import { kvOptionsOf } from "../../options/kv_options.ts";
import { promptIds } from "../../session/prompt.ts";
import type { Session } from "../../session/session.ts";

/** "The attention mechanism in deep learning is", as in the notebook that this project grew from. */
const DEFAULT_PROMPT = "深度学习中的注意力机制是";

/**
 * Makes the plan.
 *
 * @throws {UsageError} If options exclude each other, or the plan does not fit the model.
 */
export async function benchPlanOf(
  options: BenchOptions,
  config: Gpt2Config,
  tokenizer: Session["tokenizer"],
): Promise<Plan> {
  const { k_dtype, v_dtype, ...sweep } = options.sweep ?? {};
  const [k, v] = partsOf(options.kvDtype), ofV = v_dtype?.map(String) ?? [v];
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
      kv_dtype: (k_dtype?.map(String) ?? [k]).flatMap((k) => ofV.map((v) => kvDtypeOf(k, v))),
      ...kvGrid(options, config),
      ...sweep,
    } as Plan["grid"],
    warmup_runs: options.warmup ?? null,
    runs: options.runs ?? null,
    target_ci: options.targetCi,
    max_seconds: options.maxSeconds,
    seed: options.seed,
    ...(options.shard && { shard: options.shard }),
  };
  checkPlan(plan, config);
  for (const dtype of plan.grid.kv_dtype) assertHeadFits(dtype, config.headDim);
  return plan;
}

/** Returns the values of the strategies' options that are not swept. */
export function kvGrid(options: object, { nCtx }: Pick<Gpt2Config, "nCtx">): Partial<Plan["grid"]> {
  const given = kvOptionsOf(options);
  return Object.fromEntries([...strategyOptions()].flatMap(([key, { isContextLength }]) => {
    const value = given[key] ?? (isContextLength ? nCtx : null);
    return value === null ? [] : [[key, [value]]];
  }));
}

type PromptOptions = Pick<BenchOptions, "prompt" | "promptIds" | "promptTokens" | "sweep">;

/**
 * Returns the prompt's text and ids, or the lengths of made-up prompts.
 *
 * @throws {UsageError} If options exclude each other, or there is no tokenizer for a text.
 */
export async function promptOf(
  { prompt, promptIds: ids, promptTokens, sweep }: PromptOptions,
  tokenizer: Session["tokenizer"],
): Promise<{ text: string | null; ids: readonly number[] | null; lengths: number[] }> {
  const lengths = sweep?.prompt_tokens?.map(Number) ??
    (promptTokens === undefined ? undefined : [promptTokens]);
  if (lengths !== undefined) {
    if (prompt !== undefined || ids !== undefined) {
      throw new UsageError(
        "--prompt-tokens makes up a prompt: expected no --prompt and no --prompt-ids",
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
