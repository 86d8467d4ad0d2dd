/**
 * Moves of K and V that a policy has decided on: copies for forks and shared blocks, swapping to host memory and back,
 * and growth of a cache. The pool carries them out.
 */

/** Consecutive token slots, each with one token's K and V in every layer. */
export interface SlotRange {
  /** First slot. */
  readonly first: number;
  /** Slots. */
  readonly count: number;
}

/** Sequences whose K and V are in host memory. */
export interface Swapped {
  /** Names them. */
  readonly id: number;
  /** Slots whose contents were saved, in order. */
  readonly from: readonly SlotRange[];
}

/** A move of K and V, in every layer. */
export type Move =
  | { readonly kind: "copy"; readonly from: number; readonly to: number; readonly count: number }
  | { readonly kind: "out"; readonly swapped: Swapped }
  | { readonly kind: "in"; readonly swapped: Swapped; readonly to: readonly SlotRange[] }
  | { readonly kind: "drop"; readonly swapped: Swapped }
  | {
    /** Gives every sequence a region of another size, in new memory. */
    readonly kind: "resize";
    readonly slotsPerSequence: number;
    /** Regions. */
    readonly nSequences: number;
    /** Leading slots of each region whose contents are copied. */
    readonly keep: number;
  };

/** Collects moves, in order. */
export class Moves {
  #waiting: Move[] = [];

  /** Adds one. A resize takes the place of one that stands directly before it. */
  push(move: Move): void {
    const last = this.#waiting.at(-1);
    if (move.kind === "resize" && last?.kind === "resize") {
      const keep = Math.min(last.keep, move.keep);
      this.#waiting[this.#waiting.length - 1] = { ...move, keep };
    } else this.#waiting.push(move);
  }

  /** Hands over those since the last time. */
  take(): readonly Move[] {
    if (this.#waiting.length === 0) return this.#waiting;
    const moves = this.#waiting;
    this.#waiting = [];
    return moves;
  }
}
