/**
 * A strategy and a decoder for it, made for one piece of work and freed after it.
 *
 * @module
 */
import { createStrategy, type StrategyOptions } from "../kv/create.ts";
import type { KvStrategy, StrategyName } from "../kv/strategy.ts";
import type { Gpt2 } from "../model/gpt2.ts";
import { DEFAULT_DTYPE, type Dtype } from "../formats/registry.ts";
import { Decoder, type DecoderOptions } from "./decoder.ts";

/** What is decoded, and where K and V are kept. */
export interface DecodingOptions extends DecoderOptions, Omit<StrategyOptions, "maxTokens"> {
  /** Where K and V are kept. */
  readonly strategy: StrategyName;
  /** How K and V are stored: in float32, unless told otherwise. */
  readonly kvDtype?: Dtype;
}

/**
 * Makes a strategy and a decoder, runs `use`, and frees both whatever happens.
 *
 * @throws {UsageError} If a sequence would be longer than the model's context, or the block size is none.
 * @throws {KvbenchError} If a kernel does not compile or a buffer is too large.
 */
export async function withDecoder<T>(
  model: Gpt2,
  options: DecodingOptions,
  use: (decoder: Decoder, strategy: KvStrategy) => Promise<T>,
): Promise<T> {
  const { nSequences, kvDtype: dtype = DEFAULT_DTYPE } = options;
  const { config, dims, tuning: { texels } } = model;
  const shape = { ...config, ...dims, nSequences, dtype, texels };
  const strategy = createStrategy(model.gpu, options.strategy, shape, options);
  try {
    const decoder = await Decoder.create(model, strategy, options);
    try {
      return await use(decoder, strategy);
    } finally {
      decoder.dispose();
    }
  } finally {
    strategy.dispose();
  }
}
