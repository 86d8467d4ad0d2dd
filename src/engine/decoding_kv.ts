/** K/V memory of sequences that are decoded together, by the name of a strategy. */
import { chooseKv } from "../kv/registry.ts";
import { type Kv, type KvNeed, type KvOptions, makeKv } from "../kv/strategy_def.ts";
import type { Gpt2Config } from "../checkpoint/config.ts";

/** A strategy by name. */
export interface NamedStrategy {
  /** Name of the strategy. */
  readonly strategy: string;
  /** Its options. Default: its own defaults. */
  readonly kvOptions?: KvOptions;
}

/** A strategy by name, and the sequences that a decoder has. */
interface Decoding extends NamedStrategy {
  readonly nSequences: number;
  readonly maxTokens: number;
  readonly maxPromptTokens?: number;
}

/** Dimensions of a model that K/V memory depends on. */
type Layers = Pick<Gpt2Config, "nLayer" | "nCtx">;

/** Makes both sides of the K/V memory that a decoder has. */
export function decodingKv(model: Layers, decoding: Decoding): Kv {
  return makeKv(chooseKv(decoding.strategy, decoding.kvOptions), needOf(model, decoding));
}

/** Makes both sides of the memory of its reference; undefined where the strategy is exact. */
export function referenceKv(model: Layers, decoding: Decoding): Kv | undefined {
  const { strategy, options } = chooseKv(decoding.strategy, decoding.kvOptions);
  return strategy.reference?.(needOf(model, decoding), options);
}

function needOf(
  { nLayer, nCtx }: Layers,
  { nSequences, maxTokens, maxPromptTokens = maxTokens }: Decoding,
): KvNeed {
  return {
    ...{ nSequences, nLayer, nCtx, maxTokens, maxPromptTokens, maxRows: nSequences * maxTokens },
    ...{ budgetTokens: undefined, swapTokens: 0, watermark: 0 },
  };
}
