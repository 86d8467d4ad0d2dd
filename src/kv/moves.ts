/**
 * The moves of K and V that a memory has decided on and nobody has carried out yet.
 *
 * @module
 */
import type { Move } from "./policy.ts";

/** Collects moves, in order. */
export class Moves {
  #waiting: Move[] = [];

  /** Adds one. */
  push(move: Move): void {
    this.#waiting.push(move);
  }

  /** Hands over those since the last time. */
  take(): readonly Move[] {
    if (this.#waiting.length === 0) return this.#waiting;
    const moves = this.#waiting;
    this.#waiting = [];
    return moves;
  }
}
