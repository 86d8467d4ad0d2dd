/** Counts of a scheduler's decisions since its start. */

/** Returns counts of nothing yet. */
export const noCounts = () => ({
  promptTokens: 0, // of the prompts that were admitted
  hitTokens: 0, // of those, found in the prefix cache
  recomputes: 0, // requests that were preempted to be computed again
  recomputedTokens: 0, // tokens that these had computed, and lost
  swaps: 0, // requests that were preempted by swapping
  swappedTokens: 0, // tokens that these had computed, and that went to host memory
});

/** Running totals. */
export type Counters = ReturnType<typeof noCounts>;
