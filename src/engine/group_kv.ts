/** K/V memory that is just large enough for several continuations of one prompt. */
import { chooseKv } from "../kv/registry.ts";
import { checkForks, type Kv, makeKv } from "../kv/strategy_def.ts";
import type { Gpt2Config } from "../checkpoint/config.ts";
import type { NamedStrategy } from "./decoding_kv.ts";

/** The needs of the continuations. */
export interface GroupNeed {
  /** Tokens of the prompt. */
  readonly promptTokens: number;
  /** Tokens that each continuation gains at most. */
  readonly newTokens: number;
  /** Continuations. */
  readonly nSequences: number;
}

/**
 * Makes the memory, and says how many tokens a step over it computes at most.
 *
 * @throws {UsageError} If the strategy is not known or cannot fork sequences, or an option is not valid.
 */
export function groupKv(
  { strategy: name, kvOptions }: NamedStrategy,
  { nLayer, nCtx }: Pick<Gpt2Config, "nLayer" | "nCtx">,
  group: GroupNeed,
): { readonly kv: Kv; readonly maxRows: number } {
  const { promptTokens, newTokens, nSequences } = group;
  const choice = chooseKv(name, kvOptions), { traits: { keeps } } = choice.strategy;
  checkForks(choice.strategy);
  const maxTokens = promptTokens + newTokens;
  const maxRows = keeps === "nothing" ? nSequences * maxTokens : Math.max(promptTokens, nSequences);
  const kv = makeKv(choice, {
    ...{ nSequences, nLayer, nCtx, maxTokens, maxRows, swapTokens: 0, watermark: 0 },
    budgetTokens: choice.strategy.groupTokens?.(group, choice.options),
  });
  return { kv, maxRows };
}
