/** The strategies that commands, results and reports know, in the order of reports. */
import { UsageError } from "../base/errors.ts";
import type { WgslFile } from "../gpu/wgsl.ts";
import { CONTIGUOUS_CACHE } from "./contiguous/def.ts";
import { H2O } from "./h2o/def.ts";
import { NONE } from "./none/def.ts";
import { OFFLOAD } from "./offload/def.ts";
import { PAGED_CACHE } from "./paged/def.ts";
import { PAGED_GATHER } from "./paged_gather/def.ts";
import { RESERVED } from "./reserved/def.ts";
import { SNAPKV } from "./snapkv/def.ts";
import type { KvChoice, KvOption, KvOptions, StrategyDef } from "./strategy_def.ts";
import { WINDOW } from "./window/def.ts";

const all = new Map<string, StrategyDef>();

/**
 * Makes a strategy known.
 *
 * @throws {UsageError} If its name is taken, one of its options is another one's of the same name, or it is not exact and
 * has no reference.
 */
export function register(strategy: StrategyDef): void {
  if (all.has(strategy.name)) throw new UsageError(`Strategy ${strategy.name} is registered already`);
  if (!strategy.traits.exact && strategy.reference === undefined) {
    throw new UsageError(
      `Strategy ${strategy.name} is not exact: expected a reference, which its logits are compared with`,
    );
  }
  const known = strategyOptions();
  for (const [key, option] of Object.entries(strategy.options)) {
    if (!known.has(key) || known.get(key) === option) continue;
    throw new UsageError(
      `Option ${key} of strategy ${strategy.name} has the name of another strategy's option`,
    );
  }
  all.set(strategy.name, strategy);
}

/** Returns all strategies. */
export function strategies(): readonly StrategyDef[] {
  return [...all.values()];
}

/** Returns the names of all strategies, or of those that a comparison shows by default. */
export function strategyNames(comparison?: "bench" | "serving"): string[] {
  return strategies().filter(({ comparedIn }) => comparison === undefined || comparedIn.includes(comparison))
    .map(({ name }) => name);
}

/** Returns a strategy, or undefined where none has the name: results may come from a program that knows more. */
export function findStrategy(name: string): StrategyDef | undefined {
  return all.get(name);
}

/**
 * Returns a strategy.
 *
 * @throws {UsageError} If none has the name.
 */
export function strategyNamed(name: string): StrategyDef {
  const found = all.get(name);
  if (found !== undefined) return found;
  throw new UsageError(`Strategy ${name} is not known: expected ${[...all.keys()].join(", ")}`);
}

/** Returns every option of the strategies by its name in results; strategies may share one. */
export function strategyOptions(): ReadonlyMap<string, KvOption> {
  return new Map(strategies().flatMap(({ options }) => Object.entries(options)));
}

/**
 * Chooses a strategy. Options that are omitted have their defaults; those of other strategies are ignored.
 *
 * @throws {UsageError} If none has the name.
 */
export function chooseKv(name: string, options: KvOptions = {}): KvChoice {
  const strategy = strategyNamed(name);
  const values = Object.entries(strategy.options).map((
    [key, option],
  ) => [key, options[key] ?? option.default]);
  return { strategy, options: Object.fromEntries(values) };
}

/** Returns the WGSL of the strategies that are known, each file once. */
export function strategyFiles(): readonly WgslFile[] {
  const cases = strategies().flatMap(({ cases }) => cases);
  const files = cases.flatMap(({ lay }) => lay({ nSequences: 1, tokensPerSequence: 1 }).addressing.files);
  return [...new Set(files)];
}

/** Returns the plain cache that exact results are computed with: all tokens kept, nothing shared. */
export function plainStrategy(): StrategyDef {
  return strategies().find(({ traits: { keeps, exact, shares } }) => keeps === "all" && exact && !shares)!;
}

/** Returns the baseline of all: every token is computed anew in every step. */
export function recomputingStrategy(): StrategyDef {
  return strategies().find(({ traits: { keeps } }) => keeps === "nothing")!;
}

/** Returns the strategy whose memory grows by concatenation, and its options for that. */
export function concatenatingStrategy(): { readonly strategy: StrategyDef; readonly options: KvOptions } {
  const strategy = strategies().find(({ concatenating }) => concatenating !== undefined)!;
  return { strategy, options: strategy.concatenating! };
}

/** Returns the strategy whose memory is shared, which serving has by default. */
export function sharingStrategy(): StrategyDef {
  return strategies().find(({ traits: { exact, shares } }) => exact && shares)!;
}

for (
  const strategy of [
    ...[NONE, CONTIGUOUS_CACHE, ...RESERVED, PAGED_CACHE, PAGED_GATHER],
    ...[WINDOW, SNAPKV, H2O, OFFLOAD],
  ]
) {
  register(strategy);
}
