/**
 * The order of timed runs, and their end: warm-up until steady, then rounds in which every cell is timed once, in a
 * seeded random order, so that a machine that changes its speed changes it for all. Knows nothing of what is timed.
 */
import { seededRandom, shuffled } from "../../base/random.ts";
import type { GroupRecord, Timing } from "../record/result.ts";
import { median, medianInterval } from "../statistics/statistics.ts";
import { precision } from "../findings/summary.ts";

/** Fewest rounds after which precision is judged. */
const MIN_ROUNDS = 5;
/** Most rounds, precise or not. */
const MAX_ROUNDS = 1000;
/** Runs at the end of a warm-up that must agree. */
const STEADY_RUNS = 3;
/** Largest range of steady runs, as a share of their median. */
const STEADY_RANGE = 0.1;
/** Most runs of a warm-up. */
const MAX_WARMUP_RUNS = 6;
/** Share of the time budget after which a warm-up ends. */
const WARMUP_SHARE = 0.2;

/** Conditions to stop; fields of a plan. */
export interface Stopping {
  /** Rounds; null: until precise enough. */
  readonly runs: number | null;
  /** Half of the interval of each cell's median E2E at which it is precise enough, as a share of the median. */
  readonly target_ci: number;
  /** Time after which no round begins. */
  readonly max_seconds: number;
  /** Rounds that are made whatever time they take. Default: 1. */
  readonly least?: number;
}

/** The runs of a warm-up. */
export interface WarmUp {
  /** E2E of each run, in ms. */
  readonly e2e_ms: number[];
  /** True where the last three agree. */
  readonly steady: boolean;
}

/**
 * Runs a cell until it is steady: the last three runs within 10 % of each other, 6 runs at most, and no run begun
 * after a fifth of the time budget. Steady state as in A. Georges et al., "Statistically Rigorous Java Performance
 * Evaluation" (2007), section 3.3.
 *
 * @param time Runs the cell and returns its E2E in ms.
 * @param runs Number of runs, steady or not; null: until steady.
 */
export async function warmUp(
  time: () => Promise<number>,
  runs: number | null,
  maxSeconds: number,
): Promise<WarmUp> {
  const e2e: number[] = [];
  const steady = () => {
    const last = e2e.slice(-STEADY_RUNS);
    return last.length === STEADY_RUNS &&
      Math.max(...last) - Math.min(...last) <= STEADY_RANGE * median(last);
  };
  const spent = () => e2e.reduce((sum, ms) => sum + ms, 0) / 1000;
  const enough = () =>
    runs === null
      ? steady() || e2e.length === MAX_WARMUP_RUNS || spent() > WARMUP_SHARE * maxSeconds
      : e2e.length === runs;
  while (!enough()) e2e.push(await time());
  return { e2e_ms: e2e, steady: steady() };
}

/** The times of a run, of which the end to end is judged. */
export type Timed = Pick<Timing, "e2e_ms">;

interface TurnsSoFar<T extends Timed> {
  /** Time that they took. */
  readonly seconds: number;
  /** Order of the cells: [runs][cells]. */
  readonly order: number[][];
  /** [cells][runs] */
  readonly timings: T[][];
}

/** Options of {@linkcode takeTurns}. */
export interface TurnsOptions<T extends Timed = Timing> {
  readonly cells: number;
  readonly stopping: Stopping;
  /** Seed of the order. */
  readonly seed: number;
  /** Runs that were made before an interruption. */
  readonly earlier?: TurnsSoFar<T> | undefined;
  /** Times one run of a cell. */
  time(cell: number): Promise<T>;
  /** Called after each round. */
  onRound?(soFar: TurnsSoFar<T>): void | Promise<void>;
  /** Returns the time in ms. Default: `performance.now`. */
  now?(): number;
}

/** The result of {@linkcode takeTurns}. */
interface Turns<T extends Timed = Timing> extends GroupRecord {
  readonly timings: T[][];
}

/** Times every cell once a round until there are enough rounds. An error of `time` ends it within a round. */
export async function takeTurns<T extends Timed = Timing>(options: TurnsOptions<T>): Promise<Turns<T>> {
  const { cells, stopping, earlier, now = () => performance.now() } = options;
  const random = seededRandom(options.seed);
  const timings: T[][] = earlier
    ? earlier.timings.map((runs) => [...runs])
    : Array.from({ length: cells }, () => []);
  const order = earlier ? [...earlier.order] : [];
  const all = Array.from({ length: cells }, (_, cell) => cell);
  for (let round = 0; round < order.length; round++) shuffled(all, random); // as far as it had come
  const before = earlier?.seconds ?? 0;
  const start = now();
  const seconds = () => before + (now() - start) / 1000;
  for (;;) {
    const stopped = reasonToStop(timings, seconds(), stopping);
    if (stopped !== undefined) return { timings, order, seconds: seconds(), stopped };
    const round = shuffled(all, random);
    const fresh = new Map<number, T>();
    for (const cell of round) fresh.set(cell, await options.time(cell));
    order.push(round);
    for (const [cell, timing] of fresh) timings[cell]!.push(timing);
    await options.onRound?.({ timings, order, seconds: seconds() });
  }
}

function reasonToStop(
  timings: readonly (readonly Timed[])[],
  seconds: number,
  { runs, target_ci, max_seconds, least = 1 }: Stopping,
): Turns["stopped"] | undefined {
  const rounds = timings[0]!.length;
  if (rounds === 0) return undefined;
  if (runs !== null) return rounds >= runs ? "runs" : undefined;
  if (rounds >= MAX_ROUNDS) return "runs";
  if (rounds >= MIN_ROUNDS && timings.every((cell) => e2ePrecision(cell) <= target_ci)) return "precise";
  return seconds >= max_seconds && rounds >= least ? "time" : undefined;
}

/** Returns half of the interval of the median E2E as a share of the median; infinite with fewer than 3 runs. */
export function e2ePrecision(timings: readonly Timed[]): number {
  const e2e = timings.map(({ e2e_ms }) => e2e_ms);
  if (e2e.length < 3) return Infinity;
  return precision({ median: median(e2e), median_ci: medianInterval(e2e) });
}
