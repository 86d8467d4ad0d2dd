/**
 * K/V memory as the scheduler sees it: whether there is room, in tokens. What stands behind it, blocks or regions,
 * is the business of `paged_memory.ts` and `arena_memory.ts`. Host only: moves of data are written down for an
 * executor to carry out.
 *
 * @module
 */
import type { PrefixKey } from "./paged/block_pool.ts";
import type { Request } from "../engine/scheduler/request.ts";

/** Consecutive token slots, each with one token's K and V in every layer. */
export interface SlotRange {
  /** First slot. */
  readonly first: number;
  /** Slots. */
  readonly count: number;
}

/** Something swapped out: its slots' contents are in host memory. */
export interface Swapped {
  /** Names it. */
  readonly id: number;
  /** Slots whose contents were saved, in order. */
  readonly from: readonly SlotRange[];
}

/** A move of K and V, in every layer. */
export type Move =
  | { readonly kind: "copy"; readonly from: number; readonly to: number; readonly count: number }
  | { readonly kind: "out"; readonly swapped: Swapped }
  | { readonly kind: "in"; readonly swapped: Swapped; readonly to: readonly SlotRange[] }
  | { readonly kind: "drop"; readonly swapped: Swapped };

/** What the memory holds, in tokens. Shared tokens count once. */
export interface KvMemoryUsage {
  /** Tokens that fit in all. */
  readonly capacity: number;
  /** Token states: tokens whose K and V are stored. */
  readonly stored: number;
  /** Reserved for tokens that running sequences will store later. */
  readonly later: number;
  /** Internal fragmentation: held by sequences and never used. */
  readonly internal: number;
  /** Held by no sequence. */
  readonly free: number;
  /** Tokens' room that sharing saves: what sequences would hold without it, less what they hold. */
  readonly saved: number;
}

/** What a group needs in order to begin, or begin again. */
export interface Admission {
  /** What is asked for. */
  readonly request: Request;
  /** The slots of the sequences; the first one computes the prompt. */
  readonly slots: readonly number[];
  /** Tokens of the first sequence that the first step stores, those found in the prefix cache among them. */
  readonly nTokens: number;
  /** Tokens of all sequences that are known, the prompt counted once. */
  readonly nKnown: number;
  /** Keys of the leading blocks that are shared with the prefix cache. */
  readonly prefix: readonly PrefixKey[];
  /** Whether nothing else runs, so that waiting would not free anything. */
  readonly alone: boolean;
}

/** Room for K and V. Slots name sequences. */
export interface KvMemory {
  /** Whether K and V outlive a step; where not, every step computes its sequences whole. */
  readonly keeps: boolean;
  /** Tokens in a block, which prefix keys are made for; undefined where there are no blocks. */
  readonly blockSize: number | undefined;
  /** Tokens that no sequence holds room for. */
  readonly nFree: number;
  /** Hands over the moves since the last time, in the order to carry them out. */
  takeMoves(): readonly Move[];
  /** Why a request could never run, even alone, or undefined where it could. */
  refusal(request: Request): string | undefined;
  /** How many of the keys' blocks are at hand. */
  cachedBlocks(keys: readonly PrefixKey[]): number;
  /** Makes room for a group's first step, or changes nothing and returns false. */
  admit(admission: Admission): boolean;
  /** Whether the free tokens would suffice for an admission that was refused, if they lay together. */
  isFragmented(admission: Admission): boolean;
  /** Makes room for a sequence's first `nTokens` tokens, or changes nothing and returns false. */
  grow(slot: number, nTokens: number): boolean;
  /** Where a sequence's tokens are: its blocks in order, or the first slot of its region. A live view. */
  place(slot: number): readonly number[];
  /** Gives `child` the tokens that `parent` has stored, in place of its own. */
  fork(parent: number, child: number): void;
  /** Lets the prefix cache find a full block. */
  publish(slot: number, index: number, key: PrefixKey): void;
  /** Gives back what room a sequence has. */
  release(slot: number): void;
  /** Moves sequences to host memory, or returns undefined where it has no room for them. */
  swapOut(slots: readonly number[]): Swapped | undefined;
  /** Brings them back into the slots that they had, or changes nothing and returns false. */
  swapIn(swapped: Swapped, alone: boolean): boolean;
  /** Gives up what was swapped out. */
  drop(swapped: Swapped): void;
  /** What the memory holds. */
  usage(): KvMemoryUsage;
  /**
   * Checks every invariant; meant for tests and `--verify`.
   *
   * @throws {Error} Naming the first that is broken.
   */
  verify(): void;
}
