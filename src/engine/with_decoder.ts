/**
 * A decoder with a strategy by name, made for one piece of work and freed after it.
 *
 * @module
 */
import type { KvOptions } from "../kv/strategy_def.ts";
import { makeKv } from "../kv/strategy_def.ts";
import { chooseKv } from "../kv/registry.ts";
import type { Gpt2 } from "../model/gpt2.ts";
import { Decoder, type DecoderOptions } from "./decoder.ts";

/** What is decoded, and where K and V are kept. */
export interface DecodingOptions extends DecoderOptions {
  /** The strategy's name. */
  readonly strategy: string;
  /** Its options. Default: its own defaults. */
  readonly kvOptions?: KvOptions;
}

/**
 * Makes a strategy's K/V memory and a decoder. The caller disposes of the decoder.
 *
 * @throws {UsageError} If a sequence would be longer than the model's context, or an option is not valid.
 * @throws {KvbenchError} If a kernel does not compile or a buffer is too large.
 */
export function openDecoder(model: Gpt2, options: DecodingOptions): Promise<Decoder> {
  const { strategy, kvOptions, nSequences, maxTokens } = options;
  const { nLayer, nCtx } = model.config;
  const kv = makeKv(chooseKv(strategy, kvOptions), {
    ...{ nSequences, nLayer, nCtx, maxTokens, maxRows: nSequences * maxTokens },
    ...{ budgetTokens: undefined, swapTokens: 0, watermark: 0 },
  });
  return Decoder.create(model, kv, options);
}

/**
 * Opens a decoder, runs `use`, and frees it whatever happens.
 *
 * @throws {UsageError} If a sequence would be longer than the model's context, or an option is not valid.
 * @throws {KvbenchError} If a kernel does not compile or a buffer is too large.
 */
export async function withDecoder<T>(
  model: Gpt2,
  options: DecodingOptions,
  use: (decoder: Decoder) => Promise<T>,
): Promise<T> {
  const decoder = await openDecoder(model, options);
  try {
    return await use(decoder);
  } finally {
    decoder.dispose();
  }
}
