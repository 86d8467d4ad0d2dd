/**
 * K/V memory that is just large enough for several continuations of one prompt.
 *
 * @module
 */
import type { StrategyName } from "../kv/shape.ts";
import type { ArenaMemory } from "../kv/reserved/policy.ts";
import { createMemory, type PolicyName } from "./scheduler/create_memory.ts";
import type { PagedMemory } from "../kv/paged/policy.ts";

/** What the continuations need. */
export interface GroupMemoryOptions {
  /** Tokens of the prompt. */
  readonly promptTokens: number;
  /** Tokens that each continuation gains at most. */
  readonly newTokens: number;
  /** Continuations. */
  readonly nSequences: number;
  /** Tokens per block of `paged`. */
  readonly blockSize: number;
}

/** Which memory a strategy's continuations live in: `kv-cache` gives each one cache as long as it will be. */
const POLICIES: Readonly<Record<StrategyName, PolicyName>> = {
  "no-cache": "no-cache",
  "kv-cache": "oracle",
  paged: "paged",
};

/**
 * Makes the memory. With blocks, the prompt's full ones are there once; each continuation has room for the others.
 *
 * @throws {UsageError} If the block size is none.
 */
export function groupMemory(strategy: StrategyName, options: GroupMemoryOptions): PagedMemory | ArenaMemory {
  const { promptTokens, newTokens, nSequences, blockSize } = options;
  const nCtx = promptTokens + newTokens;
  const shared = strategy === "paged" && nSequences > 1 ? Math.floor(promptTokens / blockSize) : 0;
  const blocks = shared + nSequences * (Math.ceil(nCtx / blockSize) - shared);
  return createMemory(POLICIES[strategy], {
    budgetTokens: strategy === "paged" ? blocks * blockSize : nSequences * nCtx,
    nLayer: 1,
    nCtx,
    maxRows: nSequences * nCtx,
    blockSize,
    allocator: "first-fit",
    swapTokens: 0,
    watermark: 0,
  });
}

/** Tokens that a step over such a memory computes at most. */
export function groupRows(
  { promptTokens, newTokens, nSequences }: GroupMemoryOptions,
  keeps: boolean,
): number {
  return keeps ? Math.max(promptTokens, nSequences) : nSequences * (promptTokens + newTokens);
}
