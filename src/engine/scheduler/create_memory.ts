/**
 * K/V memory by the name of a policy.
 *
 * @module
 */
import type { AllocatorName, ArenaAllocator } from "../../kv/reserved/arena.ts";
import { BuddyAllocator } from "../../kv/reserved/buddy.ts";
import { FirstFitAllocator } from "../../kv/reserved/first_fit.ts";
import { RESERVATION_NAMES } from "../../kv/reserved/reservation.ts";
import { ArenaMemory } from "../../kv/reserved/policy.ts";
import { PagedMemory } from "../../kv/paged/policy.ts";

/**
 * What a scheduler can run on: blocks, a contiguous cache with one of the reservations of the PagedAttention paper, or
 * a scratch that is computed anew with every step. In the order of reports.
 */
export const POLICY_NAMES = ["no-cache", ...RESERVATION_NAMES, "paged"] as const;
/** A way to give sequences room for K and V. */
export type PolicyName = (typeof POLICY_NAMES)[number];

/** How much memory there is, and how it is cut. */
export interface MemoryOptions {
  /** Tokens whose K and V fit, in all layers. */
  readonly budgetTokens: number;
  /** Layers; `no-cache` keeps one of them at a time. */
  readonly nLayer: number;
  /** Longest sequence, in tokens. */
  readonly nCtx: number;
  /** Tokens that a step computes at most: what `no-cache` needs a scratch for. */
  readonly maxRows: number;
  /** Tokens per block. */
  readonly blockSize: number;
  /** What hands out contiguous regions. */
  readonly allocator: AllocatorName;
  /** Tokens that host memory has room for. */
  readonly swapTokens: number;
  /** Blocks that an admission leaves free; 1 % if left out. */
  readonly watermark?: number;
}

/**
 * Makes the memory of a policy.
 *
 * @throws {UsageError} If there is no room for a single block or token.
 */
export function createMemory(policy: PolicyName, options: MemoryOptions): PagedMemory | ArenaMemory {
  const { budgetTokens, nLayer, nCtx, maxRows, blockSize, swapTokens, watermark } = options;
  switch (policy) {
    case "paged":
      return new PagedMemory({
        nBlocks: Math.floor(budgetTokens / blockSize),
        blockSize,
        swapBlocks: Math.floor(swapTokens / blockSize),
        ...(watermark !== undefined && { watermark }),
      });
    case "no-cache": {
      // First fit, since its scratch has no reason to be a power of two.
      const allocator = new FirstFitAllocator(Math.min(maxRows, budgetTokens * nLayer));
      return new ArenaMemory({ allocator, policy: "oracle", nCtx, keeps: false });
    }
    default:
      return new ArenaMemory({ allocator: allocatorFor(options.allocator, budgetTokens), policy, nCtx });
  }
}

function allocatorFor(name: AllocatorName, size: number): ArenaAllocator {
  return name === "buddy" ? new BuddyAllocator(size) : new FirstFitAllocator(size);
}
