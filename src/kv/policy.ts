/**
 * The host's side of a strategy: room for K and V in tokens. A policy decides which slots of the pool each sequence
 * has; it never sees the GPU. What it wants done to stored K and V it writes down as moves. Benchmarks, the server and
 * simulations run on the same policies.
 */
import type { Move, Swapped } from "./moves.ts";
import type { PrefixKey } from "./prefix_keys.ts";

/** The traits of a strategy, which others may depend on in place of its name. */
export interface KvTraits {
  /** The tokens whose K and V outlive a step. */
  readonly keeps: "nothing" | "all" | "some";
  /** True if it attends to every token, so that it gives the same ids as all other exact strategies. */
  readonly exact: boolean;
  /** True if sequences with the same tokens share memory. */
  readonly shares: boolean;
  /** True if a sequence can give up its K and V and compute them again to the same values. */
  readonly preemptible: boolean;
  /** True if its sequences begin together, with whole prompts, so that they cannot be scheduled. Default: false. */
  readonly together?: boolean;
  /** The reason why its sequences cannot be forked, as what follows "since". Default: they can. */
  readonly unforked?: string;
}

/** The lengths of a request's sequences. */
export interface Lengths {
  /** Tokens of the prompt, at least 1. */
  readonly promptTokens: number;
  /** Tokens that each continuation gains at most, at least 1. */
  readonly newTokens: number;
  /** Continuations of the prompt. Default: 1. */
  readonly continuations?: number;
}

/** K/V memory in use, in tokens. A token that several sequences share counts once. */
export interface KvUsage {
  /** Tokens that fit in all. */
  readonly capacity: number;
  /** Token states: tokens whose K and V are stored. */
  readonly stored: number;
  /** Reserved for tokens that open sequences will store later. */
  readonly later: number;
  /** Internal fragmentation: held by sequences and never used. */
  readonly internal: number;
  /** Held by no sequence. */
  readonly free: number;
  /** Room that sharing saves: what sequences would hold without it, less what they hold. */
  readonly saved: number;
}

/** The needs of a group of sequences that begins, or begins again. */
export interface Admission {
  /** The lengths of its sequences. */
  readonly request: Lengths;
  /** Its sequences, by number; the first one computes the prompt. */
  readonly sequences: readonly number[];
  /** Tokens of the first sequence that the first step stores, those found in the prefix cache among them. */
  readonly nTokens: number;
  /** Tokens of all sequences that are known, the prompt counted once. */
  readonly nKnown: number;
  /** Keys of the leading blocks that are shared with the prefix cache. */
  readonly prefix: readonly PrefixKey[];
  /** True if no other sequence runs, so that waiting would free nothing. */
  readonly alone: boolean;
}

/** Room for K and V. Open sequences are named by numbers from 0 on; one that is over leaves its number to another. */
export interface KvPolicy {
  /** The strategy's traits. */
  readonly traits: KvTraits;
  /** Token slots of the pool at its beginning. */
  readonly nSlots: number;
  /** Tokens in a block, which prefix keys are made for; undefined where there are no blocks. */
  readonly blockSize: number | undefined;
  /**
   * Tokens of one sequence that one step may compute. A step stores K and V before it attends, so that a policy which
   * overwrites old tokens must bound them; elsewhere Infinity.
   */
  readonly maxChunk: number;
  /** Sequences that can be open at once: their numbers are below it. */
  readonly maxSequences: number;
  /** Tokens that no sequence holds room for. */
  readonly nFree: number;
  /** Hands over the moves since the last time, in the order to carry them out. */
  takeMoves(): readonly Move[];
  /** Returns why a request could never run, even alone, or undefined where it could. */
  refusal(request: Lengths): string | undefined;
  /** Counts the leading keys whose blocks are stored. */
  cachedBlocks(keys: readonly PrefixKey[]): number;
  /** Makes room for a group's first step, or changes nothing and returns false. */
  admit(admission: Admission): boolean;
  /** Returns whether the free tokens would suffice for a refused admission if they lay together. */
  isFragmented(admission: Admission): boolean;
  /** Makes room for a sequence's first `nTokens` tokens, or changes nothing and returns false. */
  grow(sequence: number, nTokens: number): boolean;
  /** Says why {@linkcode KvPolicy.grow} returns false: a sentence without a full stop. */
  shortage(sequence: number, nTokens: number): string;
  /** Returns the first token of a sequence that the next step has to compute. */
  firstToCompute(sequence: number): number;
  /** Returns how many tokens of a sequence of `length` are stored after a step: what the K/V formula counts. */
  storedTokens(length: number, sequence: number): number;
  /** Returns how many entries the last row of a sequence of `length` goes through: `kv_entries()` on the host. */
  entries(length: number, sequence: number): number;
  /** Returns a sequence's row of the address table: its blocks in order, or where its region begins. A live view. */
  place(sequence: number): readonly number[];
  /** Gives `child` the tokens that `parent` has stored, in place of its own. */
  fork(parent: number, child: number): void;
  /** Lets the prefix cache find a full block. */
  publish(sequence: number, index: number, key: PrefixKey): void;
  /** Frees what room a sequence has; does nothing where it has none. */
  release(sequence: number): void;
  /** Moves sequences to host memory, or returns undefined where it has no room for them. */
  swapOut(sequences: readonly number[]): Swapped | undefined;
  /** Brings them back under the numbers that they had, or changes nothing and returns false. */
  swapIn(swapped: Swapped, alone: boolean): boolean;
  /** Gives up what was swapped out. */
  drop(swapped: Swapped): void;
  /** Returns what the memory holds. */
  usage(): KvUsage;
  /**
   * Checks every invariant; meant for tests and `--verify`.
   *
   * @throws {Error} Naming the first that is broken.
   */
  verify(): void;
}
