/**
 * The part that policies with one region of memory per sequence have in common: a region belongs to its sequence alone
 * until the sequence is over.
 *
 * @module
 */
import type { Move } from "./moves.ts";
import type { Admission, KvPolicy, KvTraits, KvUsage, Lengths } from "./policy.ts";

/** Answers of a policy that keeps all tokens, shares none and swaps none. */
export abstract class RegionPolicy implements KvPolicy {
  abstract readonly traits: KvTraits;
  abstract readonly nSlots: number;
  abstract readonly nFree: number;
  readonly blockSize: number | undefined = undefined;
  readonly maxChunk: number = Infinity;
  readonly maxSequences: number = Infinity;

  /** Finds none: nothing is shared. */
  cachedBlocks(): number {
    return 0;
  }

  /** Returns `length`: all tokens are stored. */
  storedTokens(length: number): number {
    return length;
  }

  /** Returns `length`: a row attends to all tokens up to its own. */
  entries(length: number): number {
    return length;
  }

  /** Returns false: room is there or not, wherever it lies. */
  isFragmented(_admission: Admission): boolean {
    return false;
  }

  /** Does nothing: nothing is shared. */
  publish(): void {}

  /** Returns undefined: what a running sequence will need was reserved. */
  swapOut(): undefined {}

  /** Returns false: nothing was swapped out. */
  swapIn(): boolean {
    return false;
  }

  /** Does nothing: nothing was swapped out. */
  drop(): void {}

  abstract takeMoves(): readonly Move[];
  abstract refusal(request: Lengths): string | undefined;
  abstract admit(admission: Admission): boolean;
  abstract grow(slot: number, nTokens: number): boolean;
  abstract shortage(slot: number, nTokens: number): string;
  abstract firstToCompute(slot: number): number;
  abstract place(slot: number): readonly number[];
  abstract fork(parent: number, child: number): void;
  abstract release(slot: number): void;
  abstract usage(): KvUsage;
  abstract verify(): void;
}
