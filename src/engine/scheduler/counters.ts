/**
 * Counts of a scheduler's decisions since its start.
 *
 * @module
 */

export class Counters {
  /** Tokens of the prompts that were admitted. */
  promptTokens = 0;
  /** Of those, tokens found in the prefix cache. */
  hitTokens = 0;
  /** Requests that were preempted to be computed again. */
  recomputes = 0;
  /** Tokens that these had computed, and lost. */
  recomputedTokens = 0;
  /** Requests that were preempted by swapping. */
  swaps = 0;
  /** Tokens that these had computed, and that went to host memory. */
  swappedTokens = 0;
}
