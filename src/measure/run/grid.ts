/**
 * From a plan to the cells that it asks for, in groups: cells of a group do the same work (prompt length, new tokens,
 * batch, type of K and V) and differ only in where K and V live, so that they can be timed in turns. Host only.
 *
 * @module
 */
import { UsageError } from "../../base/errors.ts";
import type { StrategyName } from "../../kv/strategy.ts";
import { checkContext, checkIds } from "../../checkpoint/config.ts";
import type { Settings } from "../record/cell.ts";
import type { Plan } from "./plan.ts";
import { seededRandom } from "../../base/random.ts";

/** A cell to be measured. */
export interface CellPlan {
  /** Decode strategy. */
  readonly strategy: StrategyName;
  /** Its settings. */
  readonly settings: Settings;
}

/** Cells that do the same work, in the order of reports. */
export type GroupPlan = readonly CellPlan[];

/** More cells than this are a mistake: at a second each they'd take hours. */
const MAX_CELLS = 10_000;

/**
 * All groups of a plan, in order.
 *
 * @throws {UsageError} If there are more than 10 000 cells.
 */
export function groupsOf({ grid, strategies }: Plan): GroupPlan[] {
  const works = product(grid.prompt_tokens, grid.new_tokens, grid.batch, grid.kv_dtype);
  const perWork = strategies.reduce((sum, strategy) => sum + variants(strategy, grid).length, 0);
  if (works.length * perWork > MAX_CELLS) {
    throw new UsageError(`The sweep has ${works.length * perWork} cells: wanted at most ${MAX_CELLS}`);
  }
  return works.map(([prompt_tokens, new_tokens, batch, kv_dtype]) =>
    strategies.flatMap((strategy) =>
      variants(strategy, grid).map((variant) => ({
        strategy,
        settings: { prompt_tokens, new_tokens, batch, kv_dtype, ...variant },
      }))
    )
  );
}

/** The settings that concern a strategy alone. */
function variants(
  strategy: StrategyName,
  { block_size, growth, kv_capacity_tokens }: Plan["grid"],
): Pick<Settings, "block_size" | "growth" | "kv_capacity_tokens">[] {
  switch (strategy) {
    case "no-cache":
      return [{ block_size: null, growth: null, kv_capacity_tokens: null }];
    case "kv-cache":
      return growth.flatMap((growth) =>
        (growth === "static" ? kv_capacity_tokens : [null]).map((kv_capacity_tokens) => ({
          block_size: null,
          growth,
          kv_capacity_tokens,
        }))
      );
    case "paged":
      return product(block_size, kv_capacity_tokens)
        .map(([block_size, kv_capacity_tokens]) => ({ block_size, growth: null, kv_capacity_tokens }));
  }
}

/** Every way to take one of each list, the last list's fastest. */
function product<T extends readonly (readonly unknown[])[]>(
  ...lists: T
): { -readonly [K in keyof T]: T[K][number] }[] {
  const all = lists.reduce<unknown[][]>(
    (rows, list) => rows.flatMap((row) => list.map((value) => [...row, value])),
    [[]],
  );
  return all as { -readonly [K in keyof T]: T[K][number] }[];
}

/** A text that tells cells of one plan apart and stays the same from run to run. */
export function cellKey({ strategy, settings }: CellPlan): string {
  return [strategy, ...Object.values(settings).map((value) => value ?? "-")].join(" ");
}

/**
 * Checks that everything in a plan fits a model.
 *
 * @throws {UsageError} Naming the numbers.
 */
export function checkPlan(plan: Plan, model: { nCtx: number; vocabSize: number }): void {
  for (const [first] of groupsOf(plan)) {
    const { prompt_tokens, new_tokens } = first!.settings;
    checkContext(prompt_tokens, new_tokens, model.nCtx);
    for (const capacity of plan.grid.kv_capacity_tokens) {
      if (capacity >= prompt_tokens + new_tokens && capacity <= model.nCtx) continue;
      throw new UsageError(
        `A KV capacity of ${capacity} tokens does not fit: wanted from ${
          prompt_tokens + new_tokens
        }, which ` +
          `${prompt_tokens} prompt and ${new_tokens} new tokens need, to ${model.nCtx}, the model's context`,
      );
    }
  }
  checkIds(plan.prompt_ids ?? [], model.vocabSize);
}

/** The prompts of a group, one per sequence. */
export function promptsOf(plan: Plan, { prompt_tokens, batch }: Settings, vocabSize: number): number[][] {
  return Array.from(
    { length: batch },
    (_, sequence) =>
      plan.prompt_ids ? [...plan.prompt_ids] : madeUpPrompt(prompt_tokens, vocabSize, plan.seed + sequence),
  );
}

/** A made-up prompt of `count` ids, the same for the same seed. */
export function madeUpPrompt(count: number, vocabSize: number, seed: number): number[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => Math.floor(random() * vocabSize));
}
