/** The judgement of what the kernels of kept tokens leave: tokens, scores, K and V. */
import type { Comparison } from "../../../src/base/comparison.ts";
import type { KeptToken } from "./reference.ts";

/** Sums of up to 65 probabilities, each 2e-6 off, relatively. */
const TOLERANCE = 1e-5;

/** Judges tokens and scores of all heads, and K and V of entries. */
export class Judge {
  #largestError = 0;
  #at = "every token and score is right";
  readonly #what: string;

  /** @param what Subject of the comparison. */
  constructor(what: string) {
    this.#what = what;
  }

  /** Compares a head's tokens and their scores. */
  tokens(actual: readonly KeptToken[], expected: readonly KeptToken[], at: string): void {
    expected.forEach(({ position, score }, entry) => {
      const own = actual[entry]!, error = Math.abs(own.score - score);
      const found =
        `${at}, entry ${entry}: token ${own.position} with ${own.score}, expected ${position} with ${score}`;
      this.#note(own.position === position && !Number.isNaN(error) ? error : Infinity, found);
    });
  }

  /** Compares a head of K, or V, with what was stored of it: errors in units of what rounding explains are scaled. */
  head(
    actual: Float32Array,
    expected: Float32Array,
    slack: (value: number, exact: number) => number,
    at: string,
  ): void {
    expected.forEach((value, d) => {
      const error = Math.abs(actual[d]! - value);
      const right = error === 0 || error <= slack(actual[d]!, value);
      this.#note(right ? 0 : Infinity, `${at}, element ${d}: ${actual[d]}, expected ${value}`);
    });
  }

  /** The worst that was found. */
  get comparison(): Comparison {
    return { what: this.#what, largestError: this.#largestError, tolerance: TOLERANCE, at: this.#at };
  }

  #note(error: number, at: string): void {
    if (error <= this.#largestError) return;
    this.#largestError = error;
    this.#at = at;
  }
}
