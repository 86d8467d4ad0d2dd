/** The most K/V memory that a piece of work held, and what it would have held if nothing were shared. */
import type { KvUsage } from "../kv/policy.ts";

/** K/V memory of several sequences, in bytes. */
export interface KvFootprint {
  /** Held by sequences at the fullest moment: in blocks, or in whole caches. */
  readonly heldBytes: number;
  /** Held by them if no two had shared a block. */
  readonly unsharedBytes: number;
  /** Copied by forks, and on writes to shared blocks. */
  readonly copiedBytes: number;
}

/** Takes note of a memory's use. */
export class KvPeak {
  readonly #tokenBytes: number;
  #held = 0;
  #unshared = 0;

  /**
   * Begins with nothing held.
   *
   * @param tokenBytes Bytes of a token's K and V in all kept layers.
   */
  constructor(tokenBytes: number) {
    this.#tokenBytes = tokenBytes;
  }

  /** Takes what the memory holds now. */
  note({ capacity, free, saved }: KvUsage): void {
    this.#held = Math.max(this.#held, capacity - free);
    this.#unshared = Math.max(this.#unshared, capacity - free + saved);
  }

  footprint(copiedBytes: number): KvFootprint {
    const heldBytes = this.#held * this.#tokenBytes, unsharedBytes = this.#unshared * this.#tokenBytes;
    return { heldBytes, unsharedBytes, copiedBytes };
  }
}
