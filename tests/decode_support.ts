/** What tests of whole models share: the strategies in every variant, and decoding with one of them. */
import { shuffledRange } from "../src/model/values.ts";
import { Decoder } from "../src/engine/decoder.ts";
import type { Dtype } from "../src/formats/registry.ts";
import type { Gpu } from "../src/gpu/gpu.ts";
import { pagedAddressing } from "../src/kv/paged/addressing.ts";
import { PAGED_TRAITS, PagedPolicy } from "../src/kv/paged/policy.ts";
import { chooseKv } from "../src/kv/registry.ts";
import { kvBytesOf } from "../src/kv/shape.ts";
import { type Kv, type KvNeed, type KvOptions, makeKv } from "../src/kv/strategy_def.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { AWKWARD, type ConfigKeys, randomCheckpoint } from "./fixtures/checkpoint.ts";

/** A strategy with its options. */
export interface Variant {
  readonly name: string;
  make(need: KvNeed): Kv;
}

/** A strategy of the registry. */
export function variant(name: string, options: KvOptions = {}): Variant {
  const said = Object.values(options).join(", ");
  return {
    name: said === "" ? name : `${name}, ${said}`,
    make: (need) => makeKv(chooseKv(name, options), need),
  };
}

/** Recomputes everything: the other variants are compared with it. */
export const NO_CACHE: Variant = variant("no-cache");

/** A contiguous cache that is reserved whole. */
export const STATIC: Variant = variant("kv-cache", { growth: "static" });

/** A contiguous cache that grows with every token. */
export const DYNAMIC: Variant = variant("kv-cache", { growth: "dynamic" });

/** A paged cache that hands its blocks out in a random order. */
export function paged(blockSize: number): Variant {
  return {
    name: `paged by ${blockSize}, shuffled`,
    make: (need) => {
      const nBlocks = need.nSequences * Math.ceil(need.maxTokens / blockSize);
      const order = shuffledRange(nBlocks, blockSize);
      return {
        strategy: { name: "paged", traits: PAGED_TRAITS },
        policy: new PagedPolicy({ nBlocks, blockSize, order, watermark: 0 }),
        addressing: pagedAddressing(need, blockSize),
      };
    },
  };
}

/** What {@link withDecoder} allocates for. */
export interface DecodeNeed {
  readonly variant: Variant;
  /** How K and V are stored. */
  readonly kvDtype?: Dtype;
  readonly nSequences?: number;
  /** The longest sequence, and prompt. Default: the model's context. */
  readonly maxTokens?: number;
  /** Rows of logits that are asked for at once. */
  readonly maxOutputs?: number;
}

/** Returns what a strategy must know to serve some sequences, without a budget. */
export function kvNeed({ config: { nLayer, nCtx } }: Gpt2, nSequences: number, maxTokens = nCtx): KvNeed {
  return {
    ...{ nSequences, nLayer, nCtx, maxTokens, maxRows: nSequences * maxTokens },
    ...{ budgetTokens: undefined, swapTokens: 0, watermark: 0 },
  };
}

/** Opens a decoder, and disposes of it when `body` is done. */
export async function withDecoder<T>(
  model: Gpt2,
  need: DecodeNeed,
  body: (decoder: Decoder) => Promise<T> | T,
): Promise<T> {
  const { variant, kvDtype, nSequences = 1, maxTokens = model.config.nCtx, maxOutputs = nSequences } = need;
  const size = { nSequences, maxPromptTokens: maxTokens, maxTokens, maxOutputs };
  const kv = variant.make(kvNeed(model, nSequences, maxTokens));
  const decoder = await Decoder.create(model, kv, { ...size, ...(kvDtype && { kvDtype }) });
  try {
    return await body(decoder);
  } finally {
    decoder.dispose();
  }
}

/** K/V memory of a decoder, in tokens and bytes. */
export interface KvInUse {
  readonly tokens: number;
  readonly layersKept: number;
  readonly usedBytes: number;
  readonly reservedBytes: number;
  readonly allocatedBytes: number;
}

/** Returns what a decoder's K and V take. */
export function kvInUse({ runner: { policy, pool } }: Decoder): KvInUse {
  const usage = policy.usage(), { layersKept, allocatedBytes } = pool;
  return { tokens: usage.stored, layersKept, allocatedBytes, ...kvBytesOf(usage, pool.tokenBytes) };
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
