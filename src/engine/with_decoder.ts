/** A decoder with a strategy by name, made for one piece of work and freed after it. */
import type { Model } from "../model/model.ts";
import { Decoder, type DecodingOptions } from "./decoder.ts";
import { decodingKv } from "./decoding_kv.ts";

export type { DecodingOptions } from "./decoder.ts";

/**
 * Makes a strategy's K/V memory and a decoder. The caller disposes of the decoder.
 *
 * @throws {UsageError} If a sequence would be longer than the model's context, or an option is not valid.
 * @throws {KvbenchError} If a kernel does not compile or a buffer is too large.
 */
export function openDecoder(model: Model, options: DecodingOptions): Promise<Decoder> {
  return Decoder.create(model, decodingKv(model.config, options), options);
}

/**
 * Opens a decoder, runs `use`, and frees it whatever happens.
 *
 * @throws {UsageError} If a sequence would be longer than the model's context, or an option is not valid.
 * @throws {KvbenchError} If a kernel does not compile or a buffer is too large.
 */
export async function withDecoder<T>(
  model: Model,
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
