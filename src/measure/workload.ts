/**
 * What a benchmark run is asked to do. Host only.
 *
 * @module
 */
import { UsageError } from "../errors.ts";
import type { Dtype } from "../gpu/dtype.ts";
import type { Growth, StrategyName } from "../kv/strategy.ts";
import { checkContext, checkIds } from "../model/config.ts";
import { seededRandom } from "./random.ts";

/** One workload, the same for every strategy. */
export interface Workload {
  /** Text of the prompt, or null where it was given as ids or made up. */
  readonly prompt: string | null;
  /** The prompt. */
  readonly promptIds: readonly number[];
  /** Tokens to generate. */
  readonly newTokens: number;
  /** Strategies to compare, in the order of the report. */
  readonly strategies: readonly StrategyName[];
  /** Measured runs per strategy. */
  readonly runs: number;
  /** Runs per strategy before the measured ones. */
  readonly warmup: number;
  /** Tokens per KV block. */
  readonly blockSize: number;
  /** Memory of `kv-cache`. */
  readonly growth: Growth;
  /** Tokens that a static reservation and a block pool hold. */
  readonly kvCapacityTokens: number;
  /** How K and V are stored. */
  readonly kvDtype: Dtype;
  /** Of the order of the strategies. */
  readonly seed: number;
}

/**
 * Checks that a workload fits a model.
 *
 * @throws {UsageError} Naming both numbers.
 */
export function checkWorkload(workload: Workload, model: { nCtx: number; vocabSize: number }): void {
  const { promptIds, newTokens, kvCapacityTokens } = workload;
  if (promptIds.length === 0) throw new UsageError("The prompt is empty: wanted at least one token");
  const total = promptIds.length + newTokens;
  checkContext(promptIds.length, newTokens, model.nCtx);
  checkIds(promptIds, model.vocabSize);
  if (kvCapacityTokens < total || kvCapacityTokens > model.nCtx) {
    throw new UsageError(
      `A KV capacity of ${kvCapacityTokens} tokens does not fit: wanted from ${total}, which this workload ` +
        `needs, to ${model.nCtx}, the model's context`,
    );
  }
}

/** A made-up prompt of `count` ids, the same for the same seed. */
export function syntheticPrompt(count: number, vocabSize: number, seed: number): number[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => Math.floor(random() * vocabSize));
}
