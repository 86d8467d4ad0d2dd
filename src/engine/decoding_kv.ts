/**
 * K/V memory of sequences that are decoded together, by the name of a strategy.
 *
 * @module
 */
import { chooseKv } from "../kv/registry.ts";
import { type Kv, type KvOptions, makeKv } from "../kv/strategy_def.ts";
import type { Gpt2Config } from "../checkpoint/config.ts";

/** A strategy by name. */
export interface NamedStrategy {
  /** The strategy's name. */
  readonly strategy: string;
  /** Its options. Default: its own defaults. */
  readonly kvOptions?: KvOptions;
}

/** Makes both sides of the K/V memory that a decoder has. */
export function decodingKv(
  { nLayer, nCtx }: Pick<Gpt2Config, "nLayer" | "nCtx">,
  { strategy, kvOptions, nSequences, maxTokens, maxPromptTokens = maxTokens }: NamedStrategy & {
    readonly nSequences: number;
    readonly maxTokens: number;
    readonly maxPromptTokens?: number;
  },
): Kv {
  return makeKv(chooseKv(strategy, kvOptions), {
    ...{ nSequences, nLayer, nCtx, maxTokens, maxPromptTokens, maxRows: nSequences * maxTokens },
    ...{ budgetTokens: undefined, swapTokens: 0, watermark: 0 },
  });
}
