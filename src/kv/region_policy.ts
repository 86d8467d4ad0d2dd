/**
 * The part that policies with one region of memory per sequence have in common: a region belongs to its sequence alone
 * until the sequence is over.
 */
import type { Move } from "./moves.ts";
import type { Admission, KvPolicy, KvTraits, KvUsage, Lengths } from "./policy.ts";

/** Answers of a policy that keeps all tokens, shares none and swaps none. */
export abstract class RegionPolicy implements KvPolicy {
  /** The strategy's traits. */
  abstract readonly traits: KvTraits;
  /** Token slots of the pool at its beginning. */
  abstract readonly nSlots: number;
  /** Tokens that no sequence holds room for. */
  abstract readonly nFree: number;
  /** Undefined: there are no blocks. */
  readonly blockSize: number | undefined = undefined;
  /** Infinity: no token is overwritten. */
  readonly maxChunk: number = Infinity;
  /** Infinity: a region can be any sequence's. */
  readonly maxSequences: number = Infinity;

  /** Finds none: nothing is shared. */
  cachedBlocks(): number {
    return 0;
  }

  /** Returns `length`: all tokens are stored. */
  storedTokens(length: number, _sequence: number): number {
    return length;
  }

  /** Returns `length`: a row attends to all tokens up to its own. */
  entries(length: number, _sequence: number): number {
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

  /** Hands over the moves since the last time, in the order to carry them out. */
  abstract takeMoves(): readonly Move[];
  /** Returns why a request could never run, or undefined where it could. */
  abstract refusal(request: Lengths): string | undefined;
  /** Makes room for a group's first step, or changes nothing and returns false. */
  abstract admit(admission: Admission): boolean;
  /** Makes room for a sequence's first `nTokens` tokens, or changes nothing and returns false. */
  abstract grow(sequence: number, nTokens: number): boolean;
  /** Says why {@linkcode RegionPolicy.grow} returns false. */
  abstract shortage(sequence: number, nTokens: number): string;
  /** Returns the first token of a sequence that the next step has to compute. */
  abstract firstToCompute(sequence: number): number;
  /** Returns where a sequence's region begins. */
  abstract place(sequence: number): readonly number[];
  /** Gives `child` the tokens that `parent` has stored. */
  abstract fork(parent: number, child: number): void;
  /** Frees what room a sequence has. */
  abstract release(sequence: number): void;
  /** Returns what the memory holds. */
  abstract usage(): KvUsage;
  /** Checks every invariant. */
  abstract verify(): void;
}
