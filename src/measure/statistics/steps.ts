/**
 * Steps in a series that was measured several times: values that stand out from their neighbours, and changes of level.
 * A step must stand at the same place in nearly every run, which noise does not do. Knows nothing of what was measured.
 */
import { median } from "./statistics.ts";

/** Values on each side that a value is compared with; nearer to an end than that nothing is judged. */
const NEAR = 3;
/** Fewest runs that can tell a step from noise. */
export const LEAST_RUNS = 3;
/** Runs from which on one of them may disagree, disturbed as it may be. */
const TOLERANT_RUNS = 5;
/** Highest probability that noise alone makes a step somewhere in a series. */
const CHANCE = 0.05;
/** Smallest step, as a multiple of the usual difference between places. */
const LEAST_TIMES = 4;
/** Smallest step, as a share of the median value. */
const LEAST_SHARE = 0.02;

/** A value that stands out, or a new level that begins. */
export interface Step {
  /** Its place in the series. */
  readonly index: number;
  /** A single value above its neighbours, or a level that values have from there on. */
  readonly kind: "single" | "level";
  /** Difference to the values before, without the series' trend: a median over the runs. */
  readonly change: number;
}

interface Sort {
  readonly kind: Step["kind"];
  /** Sign of its change. */
  readonly sign: 1 | -1;
  /** Returns a score that is larger where a step is likelier. */
  score(values: readonly number[], at: number): number;
  /** Returns the difference that a step makes. */
  change(values: readonly number[], at: number): number;
}

const before = (values: readonly number[], at: number) => values.slice(at - NEAR, at);
const from = (values: readonly number[], at: number) => values.slice(at, at + NEAR);
const neighbours = (values: readonly number[], at: number) => [
  ...before(values, at),
  ...from(values, at + 1),
];
const rise = (values: readonly number[], at: number) => median(from(values, at)) - median(before(values, at));

/** New levels, higher or lower. */
const LEVELS: readonly Sort[] = [
  {
    kind: "level",
    sign: 1,
    // a gap between all values before and all from there on
    score: (values, at) => Math.min(...from(values, at)) - Math.max(...before(values, at)),
    change: rise,
  },
  {
    kind: "level",
    sign: -1,
    score: (values, at) => Math.min(...before(values, at)) - Math.max(...from(values, at)),
    change: rise,
  },
];
/** A value that stands out. */
const SINGLE: Sort = {
  kind: "single",
  sign: 1,
  // above both sides, so that neither a slope nor a new level counts
  score: (values, at) => values[at]! - Math.max(median(before(values, at)), median(from(values, at + 1))),
  change: (values, at) => values[at]! - median(neighbours(values, at)),
};

/**
 * Finds steps. Each place is ranked among all places of its run by a score that a trend shifts for all alike. If only noise
 * moved the values, ranks would be random and independent between runs, so that the probability of ranks as high as the
 * worst one in (nearly) all runs is known; it is multiplied by the number of tests.
 *
 * @param runs The series: [runs][values].
 * @returns Steps in order; undefined where runs or values are too few to tell.
 */
export function findSteps(runs: readonly (readonly number[])[]): Step[] | undefined {
  const length = runs[0]?.length ?? 0;
  if (runs.length < LEAST_RUNS || length < 4 * NEAR) return undefined;
  const singles = stepsOf(SINGLE, runs);
  // The median of three keeps edges, and takes away single values, which would hide them.
  const smooth = runs.map((values) =>
    values.map((value, i) => median([values[i - 1] ?? value, value, values[i + 1] ?? value]))
  );
  return [...singles, ...LEVELS.flatMap((sort) => stepsOf(sort, smooth))].sort((a, b) => a.index - b.index);
}

/** Finds the steps of one sort. */
function stepsOf({ kind, sign, score, change }: Sort, runs: readonly (readonly number[])[]): Step[] {
  const nPlaces = runs[0]!.length - 2 * NEAR + (kind === "level" ? 1 : 0);
  const places = Array.from({ length: nPlaces }, (_, i) => NEAR + i);
  const ranks = runs.map((values) => ranksOf(places.map((at) => score(values, at))));
  const changes = runs.map((values) => {
    const all = places.map((at) => change(values, at)), usual = median(all);
    return all.map((each) => each - usual);
  });
  const shared = places.map((_, i) => median(changes.map((run) => run[i]!)));
  const least = Math.max(LEAST_SHARE * median(runs.flat()), LEAST_TIMES * median(shared.map(Math.abs)));
  const found = places.flatMap((index, i) => {
    const own = shared[i]!;
    const chance = chanceOf(ranks.map((run) => run[i]!), nPlaces);
    return sign * own >= least && chance <= CHANCE ? [{ index, kind, change: own, chance }] : [];
  });
  // A step makes one beside it likelier too.
  return found.filter((step) =>
    !found.some((other) =>
      other !== step && Math.abs(other.index - step.index) < NEAR &&
      (other.chance < step.chance ||
        other.chance === step.chance && Math.abs(other.change) > Math.abs(step.change))
    )
  ).map(({ chance: _, ...step }) => step);
}

/** Ranks of scores, 1 for the largest; equal ones share the worst. */
function ranksOf(scores: readonly number[]): number[] {
  return scores.map((own) => scores.filter((other) => other >= own).length);
}

/** Bounds the probability that noise ranks any of `nPlaces` places so high in (nearly) every run. */
function chanceOf(ranks: readonly number[], nPlaces: number): number {
  const tests = nPlaces * (LEVELS.length + 1), runs = ranks.length;
  const sorted = ranks.toSorted((a, b) => a - b);
  if (runs < TOLERANT_RUNS) return tests * (sorted.at(-1)! / nPlaces) ** runs;
  return tests * runs * (sorted.at(-2)! / nPlaces) ** (runs - 1);
}
