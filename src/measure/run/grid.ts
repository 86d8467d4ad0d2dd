/**
 * The cells of a plan in groups: cells of a group do the same work (prompt length, new tokens, batch, type of K and V)
 * and differ in strategy and options, so that they can be timed in turns. Host only.
 */
import { UsageError } from "../../base/errors.ts";
import { strategyNamed, strategyOptions } from "../../kv/registry.ts";
import type { KvOptions } from "../../kv/strategy_def.ts";
import { checkContext, checkIds } from "../../checkpoint/config.ts";
import type { Settings } from "../record/cell.ts";
import type { Plan } from "./plan.ts";
import { seededRandom } from "../../base/random.ts";

/** A cell to be measured. */
export interface CellPlan {
  /** Decode strategy. */
  readonly strategy: string;
  /** Its settings. */
  readonly settings: Settings;
}

/** Cells that do the same work, in the order of reports. */
export type GroupPlan = readonly CellPlan[];

/** Most cells of a plan: at a second each, more would take hours. */
const MAX_CELLS = 10_000;

/**
 * Returns the groups of a plan, in order: all, or those that are dealt to its shard one by one.
 *
 * @throws {UsageError} If there are more than 10 000 cells.
 */
export function groupsOf(
  { grid, strategies, shard = { index: 1, of: 1 } }: Pick<Plan, "grid" | "strategies" | "shard">,
): GroupPlan[] {
  const works = product(grid.prompt_tokens, grid.new_tokens, grid.batch, grid.kv_dtype);
  const perWork = strategies.reduce((sum, strategy) => sum + variants(strategy, grid).length, 0);
  if (works.length * perWork > MAX_CELLS) {
    throw new UsageError(`The sweep has ${works.length * perWork} cells: expected at most ${MAX_CELLS}`);
  }
  const own = works.filter((_, i) => i % shard.of === shard.index - 1);
  return own.map(([prompt_tokens, new_tokens, batch, kv_dtype]) =>
    strategies.flatMap((strategy) =>
      variants(strategy, grid).map((variant) => ({
        strategy,
        settings: { prompt_tokens, new_tokens, batch, kv_dtype, ...variant },
      }))
    )
  );
}

/** Returns the options that a strategy is measured with; those that do not apply beside the others are null. */
function variants(name: string, grid: Plan["grid"]): KvOptions[] {
  const { options } = strategyNamed(name), keys = Object.keys(options);
  const lists = keys.map((key) => grid[key] ?? [options[key]!.default]);
  const all = product(...lists).map((values) => Object.fromEntries(keys.map((key, i) => [key, values[i]!])))
    .map((own) =>
      Object.fromEntries(keys.map((key) => [key, options[key]!.applies?.(own) ?? true ? own[key]! : null]))
    );
  const texts = all.map((own) => JSON.stringify(own));
  return all.filter((_, i) => texts.indexOf(texts[i]!) === i);
}

/** Returns the product of lists; the last list's values vary fastest. */
function product<T extends readonly (readonly unknown[])[]>(
  ...lists: T
): { -readonly [K in keyof T]: T[K][number] }[] {
  const all = lists.reduce<unknown[][]>(
    (rows, list) => rows.flatMap((row) => list.map((value) => [...row, value])),
    [[]],
  );
  return all as { -readonly [K in keyof T]: T[K][number] }[];
}

/** Returns a text that tells cells of one plan apart and stays the same from run to run. */
export function cellKey({ strategy, settings }: CellPlan): string {
  const { prompt_tokens, new_tokens, batch, kv_dtype, ...options } = settings;
  const own = Object.entries(options).filter(([, value]) => value !== null).sort(([a], [b]) =>
    a < b ? -1 : 1
  );
  return [strategy, prompt_tokens, new_tokens, batch, kv_dtype, ...own.map((entry) => entry.join("="))].join(
    " ",
  );
}

/**
 * Checks that a plan fits a model.
 *
 * @throws {UsageError} Naming the numbers.
 */
export function checkPlan(plan: Plan, model: { nCtx: number; vocabSize: number }): void {
  if (plan.shard !== undefined && groupsOf(plan).length === 0) {
    const { length } = groupsOf({ ...plan, shard: undefined });
    throw new UsageError(
      `Shard ${plan.shard.index}/${plan.shard.of} has nothing to measure: expected I/N with N at most ${length} for this sweep`,
    );
  }
  const capacities = [...strategyOptions()].filter(([, { isContextLength }]) => isContextLength)
    .flatMap(([key]) => plan.grid[key] ?? []);
  for (const [first] of groupsOf(plan)) {
    const { prompt_tokens, new_tokens } = first!.settings;
    checkContext(prompt_tokens, new_tokens, model.nCtx);
    for (const capacity of capacities) {
      if (Number(capacity) >= prompt_tokens + new_tokens && Number(capacity) <= model.nCtx) continue;
      throw new UsageError(
        `A KV capacity of ${capacity} tokens does not fit: expected from ${
          prompt_tokens + new_tokens
        }, which ` +
          `${prompt_tokens} prompt and ${new_tokens} new tokens need, to ${model.nCtx}, the model's context`,
      );
    }
  }
  checkIds(plan.prompt_ids ?? [], model.vocabSize);
}

/** Returns the prompts of a group, one per sequence. */
export function promptsOf(plan: Plan, { prompt_tokens, batch }: Settings, vocabSize: number): number[][] {
  return Array.from(
    { length: batch },
    (_, sequence) =>
      plan.prompt_ids ? [...plan.prompt_ids] : madeUpPrompt(prompt_tokens, vocabSize, plan.seed + sequence),
  );
}

/** Makes up a prompt of `count` ids, the same for the same seed. */
export function madeUpPrompt(count: number, vocabSize: number, seed: number): number[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => Math.floor(random() * vocabSize));
}
