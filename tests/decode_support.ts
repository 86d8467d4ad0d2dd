/**
 * What tests of whole models share: the strategies in every variant, and decoding with one of them.
 *
 * @module
 */
import { Decoder } from "../src/engine/decoder.ts";
import type { Dtype } from "../src/formats/registry.ts";
import type { Gpu } from "../src/gpu/gpu.ts";
import { KvCache } from "../src/kv/kv_cache.ts";
import { NoCache } from "../src/kv/no_cache.ts";
import { Paged } from "../src/kv/paged.ts";
import type { KvShape, KvStrategy } from "../src/kv/strategy.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { AWKWARD, type ConfigKeys, randomCheckpoint } from "./fixtures/checkpoint.ts";
import { shuffledRange } from "../src/model/values.ts";

/** A strategy with its options. */
export interface Variant {
  readonly name: string;
  /** @param maxTokens The longest sequence. */
  make(gpu: Gpu, shape: KvShape, maxTokens: number): KvStrategy;
}

/** Recomputes everything: what the other variants are compared with. */
export const NO_CACHE: Variant = {
  name: "no-cache",
  make: (gpu, shape, maxTokens) => new NoCache(gpu, shape, maxTokens),
};

/** A contiguous cache that is reserved whole. */
export const STATIC: Variant = {
  name: "kv-cache, static",
  make: (gpu, shape, capacityTokens) => new KvCache(gpu, shape, { growth: "static", capacityTokens }),
};

/** A contiguous cache that grows with every token. */
export const DYNAMIC: Variant = {
  name: "kv-cache, dynamic",
  make: (gpu, shape, capacityTokens) => new KvCache(gpu, shape, { growth: "dynamic", capacityTokens }),
};

/** A paged cache that hands its blocks out in a random order. */
export function paged(blockSize: number): Variant {
  return {
    name: `paged by ${blockSize}, shuffled`,
    make: (gpu, shape, maxTokens) => {
      const nBlocks = shape.nSequences * Math.ceil(maxTokens / blockSize);
      const options = {
        blockSize,
        poolTokens: nBlocks * blockSize,
        order: shuffledRange(nBlocks, blockSize),
      };
      return new Paged(gpu, shape, options);
    },
  };
}

/** What a strategy must know of a model. */
export function kvShapeOf({ config, dims, tuning }: Gpt2, nSequences: number, dtype: Dtype = "f32"): KvShape {
  return { ...config, ...dims, nSequences, dtype, texels: tuning.texels };
}

/** What {@link withDecoder} allocates for. */
export interface DecodeNeed {
  readonly variant: Variant;
  /** How K and V are stored. */
  readonly kvDtype?: Dtype;
  readonly nSequences?: number;
  /** The longest sequence, and prompt: the model's context unless told otherwise. */
  readonly maxTokens?: number;
  /** Rows of logits that are asked for at once. */
  readonly maxOutputs?: number;
}

/** Makes a strategy and a decoder, and disposes of both when `body` is done. */
export async function withDecoder<T>(
  model: Gpt2,
  need: DecodeNeed,
  body: (decoder: Decoder, strategy: KvStrategy) => Promise<T> | T,
): Promise<T> {
  const { variant, kvDtype, nSequences = 1, maxTokens = model.config.nCtx, maxOutputs = nSequences } = need;
  const strategy = variant.make(model.gpu, kvShapeOf(model, nSequences, kvDtype), maxTokens);
  try {
    const options = { nSequences, maxPromptTokens: maxTokens, maxTokens, maxOutputs };
    const decoder = await Decoder.create(model, strategy, options);
    try {
      return await body(decoder, strategy);
    } finally {
      decoder.dispose();
    }
  } finally {
    strategy.dispose();
  }
}

/** Loads a random checkpoint, runs `body`, and frees the model whatever happens. */
export async function withRandomModel(
  gpu: Gpu,
  body: (model: Gpt2) => Promise<void>,
  keys: ConfigKeys = AWKWARD,
): Promise<void> {
  const { checkpoint } = await randomCheckpoint(keys);
  const model = await Gpt2.load(gpu, checkpoint);
  checkpoint.close();
  try {
    await body(model);
  } finally {
    model.dispose();
  }
}
