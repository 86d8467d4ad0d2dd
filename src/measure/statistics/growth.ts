/**
 * Growth of a token's time with the context: the exponent k of t = c · nᵏ, the slope of a least-squares line through
 * log t over log n.
 */
import { bootstrapInterval, type Interval } from "./bootstrap.ts";
import { seededRandom } from "../../base/random.ts";
import { mean } from "./statistics.ts";

/** A power law that was fitted to the gaps between tokens. */
export interface Growth {
  /** Exponent of the context's length: mean over the runs. */
  readonly exponent: number;
  /** Its 95 % bootstrap interval over the runs, null with fewer than 3. */
  readonly interval: Interval | null;
  /** Shortest context, in tokens. */
  readonly from: number;
  /** Longest context, in tokens. */
  readonly to: number;
}

/** Gaps between tokens, run by run, and the prompt before them. */
interface TimedTokens {
  /** [runs][new tokens − 1], in ms; null where there is none. */
  readonly itl_ms: { readonly runs: readonly (readonly number[])[] } | null;
  readonly settings: { readonly prompt_tokens: number };
}

/**
 * Fits the growth of the gaps between tokens over all of `cells`, which are of one strategy and differ in lengths.
 * Each run is fitted on its own, so that runs, which are independent of each other, make the interval.
 *
 * @returns null where there are fewer than two gaps.
 */
export function growthOf(cells: readonly TimedTokens[]): Growth | null {
  const lists = cells.flatMap(({ itl_ms, settings }) =>
    itl_ms === null ? [] : [{ runs: itl_ms.runs, first: settings.prompt_tokens + 1 }]
  );
  const lengths = lists.flatMap(({ runs, first }) => runs[0]!.map((_, i) => first + i));
  if (lengths.length < 2) return null;
  const runs = Math.min(...lists.map(({ runs }) => runs.length));
  const exponents = Array.from({ length: runs }, (_, run) => {
    const gaps = lists.flatMap((list) => list.runs[run]!);
    return slope(lengths.map(Math.log), gaps.map((ms) => Math.log(Math.max(ms, 1e-4)))); // the clock's resolution
  });
  return {
    exponent: mean(exponents),
    interval: bootstrapInterval(exponents, mean, seededRandom(0)),
    from: Math.min(...lengths),
    to: Math.max(...lengths),
  };
}

/** Returns the slope of the least-squares line through (x, y). */
export function slope(x: readonly number[], y: readonly number[]): number {
  const [centreX, centreY] = [mean(x), mean(y)];
  let products = 0, squares = 0;
  for (let i = 0; i < x.length; i++) {
    products += (x[i]! - centreX) * (y[i]! - centreY);
    squares += (x[i]! - centreX) ** 2;
  }
  return products / squares;
}
