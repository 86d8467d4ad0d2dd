/**
 * Believing a measurement only when it is repeated.
 *
 * @module
 */
import { fastest, TuningBudget } from "../../gpu/autotune.ts";

/** What a variant must save to replace the default: timings of one variant differ by about this much. */
const MARGIN = 0.05;

/**
 * The fastest variant, if it beats the first one a second time, when only these two are timed: the best of many has
 * been lucky, too.
 *
 * @param shares How long variants take, over what the first of them takes.
 */
export async function fastestTwice<T>(
  variants: readonly T[],
  budgetsMs: { readonly search: number; readonly confirm: number },
  shares: (variants: readonly T[], budget: TuningBudget) => Promise<number[]>,
): Promise<T> {
  const base = variants[0]!;
  const best = variants[fastest(await shares(variants, new TuningBudget(budgetsMs.search)), MARGIN)]!;
  if (best === base) return base;
  const pair = [base, best];
  return pair[fastest(await shares(pair, new TuningBudget(budgetsMs.confirm)), MARGIN)]!;
}
