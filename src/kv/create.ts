/**
 * Making a strategy from its name and options.
 *
 * @module
 */
import type { Gpu } from "../gpu/gpu.ts";
import { KvCache } from "./kv_cache.ts";
import { NoCache } from "./no_cache.ts";
import { Paged } from "./paged.ts";
import type { Growth, KvShape, KvStrategy, StrategyName } from "./shape.ts";

/** Options of all strategies; each takes what concerns it. */
export interface StrategyOptions {
  /** The longest sequence of the workload, prompt and new tokens. */
  readonly maxTokens: number;
  /** Tokens per sequence that `kv-cache` may keep, and per sequence that the pool of `paged` holds. */
  readonly capacityTokens: number;
  /** Memory of `kv-cache`. */
  readonly growth: Growth;
  /** Tokens per KV block of `paged`. */
  readonly blockSize: number;
}

/**
 * Makes a strategy and reserves its memory.
 *
 * @throws {UsageError} If the block size is not a positive whole number.
 * @throws {KvbenchError} If a buffer is larger than the device allows.
 */
export function createStrategy(
  gpu: Gpu,
  name: StrategyName,
  shape: KvShape,
  options: StrategyOptions,
): KvStrategy {
  const { maxTokens, capacityTokens, growth, blockSize } = options;
  return gpu.ledger.allOrNone(() => {
    switch (name) {
      case "no-cache":
        return new NoCache(gpu, shape, maxTokens);
      case "kv-cache":
        return new KvCache(gpu, shape, { growth, capacityTokens });
      case "paged":
        return new Paged(gpu, shape, { blockSize, poolTokens: capacityTokens * shape.nSequences });
    }
  });
}
