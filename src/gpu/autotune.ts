/**
 * Timing of alternatives on the present adapter, interleaved and within a budget. Knows no GPT-2: a candidate records
 * anything.
 */
import type { Gpu } from "./gpu.ts";
import { Recorder } from "./recorder.ts";
import { Timestamps } from "./timestamps.ts";

/** One of several ways to compute something: records its dispatches. */
export type Candidate = (recorder: Recorder) => void;

/** Timed rounds after the warm-up round. */
const ROUNDS = 5;
/** Least time, in ms, and most rounds for which fast candidates are timed. */
const LEAST_MS = 200, MOST_ROUNDS = 40;

/** Ratio to the fastest candidate beyond which another one is not timed again. */
const HOPELESS = 2;

/** Allowance for the next step, as a multiple of the longest step so far: kernels differ. */
const UNEVEN = 1.5;

/** A time limit for timing, and for compiling what is timed. */
export class TuningBudget {
  readonly #now: () => number;
  readonly #end: number;
  /** End of the budget that this is a part of, and the longest step of all parts. */
  #whole: { readonly end: number; longestMs: number };

  /**
   * Starts the time.
   *
   * @param now Reads a clock, in ms. Default: this process's.
   */
  constructor(ms: number, now: () => number = () => performance.now()) {
    this.#now = now;
    this.#end = now() + ms;
    this.#whole = { end: this.#end, longestMs: 0 };
  }

  /** Time left, in ms. */
  get leftMs(): number {
    return Math.max(0, this.#end - this.#now());
  }

  /** True if no time is left. */
  get spent(): boolean {
    return this.leftMs === 0;
  }

  /** Returns a share of the time left as a budget of its own. All parts know the longest step of any of them. */
  part(share: number): TuningBudget {
    const part = new TuningBudget(this.leftMs * share, this.#now);
    part.#whole = this.#whole;
    return part;
  }

  /**
   * Takes a step if it should end in time: within this part if it takes as long as the longest so far, and within the
   * whole if it takes {@linkcode UNEVEN} times as long. Compiling can't be stopped half-way.
   *
   * @returns Undefined if the step is not taken.
   */
  async step<T>(body: () => Promise<T>): Promise<T | undefined> {
    const whole = this.#whole, start = this.#now();
    if (this.spent || this.leftMs < whole.longestMs) return undefined;
    if (whole.end - start < UNEVEN * whole.longestMs) return undefined;
    const result = await body();
    whole.longestMs = Math.max(whole.longestMs, this.#now() - start);
    return result;
  }
}

/**
 * Returns the shortest time of each candidate, in ms: other work of the machine only adds. Candidates take turns, and
 * another one begins each round. Times come from timestamp queries, or from fences if the device has none. Candidates
 * that take far longer than the fastest are timed twice after the warm-up; if the budget ends early, all are timed once.
 *
 * @throws {KvbenchError} If the device fails.
 */
export async function timeCandidates(
  gpu: Gpu,
  candidates: readonly Candidate[],
  budget: TuningBudget,
  leastMs: number = LEAST_MS,
): Promise<number[]> {
  const best = candidates.map(() => Infinity);
  const timestamps = Timestamps.create(gpu, candidates.length);
  const recorder = new Recorder(gpu.device);
  recorder.timestamps = timestamps;
  try {
    const end = performance.now() + leastMs;
    const goesOn = (round: number) =>
      round < 2 ||
      !budget.spent && (round <= ROUNDS || round <= MOST_ROUNDS && performance.now() < end);
    for (let round = 0; goesOn(round); round++) {
      const limit = round < 3 ? Infinity : HOPELESS * Math.min(...best);
      const left = candidates.flatMap((record, i) => best[i]! > limit ? [] : [{ record, i }]);
      // The first of a round runs while the host still records the others, so each takes its turn.
      const turn = round % left.length;
      const timed = [...left.slice(turn), ...left.slice(0, turn)];
      const times: number[] = [];
      for (const { record } of timed) {
        const start = performance.now();
        record(recorder);
        recorder.submit();
        if (timestamps) continue;
        await gpu.fence.wait();
        times.push(performance.now() - start);
      }
      if (timestamps) times.push(...await timestamps.readMs());
      if (round === 0) continue;
      timed.forEach(({ i }, nth) => best[i] = Math.min(best[i]!, times[nth]!));
    }
    gpu.assertHealthy();
    return best;
  } finally {
    timestamps?.dispose();
  }
}

/** Returns the index of the shortest time, or 0 unless it is shorter than the first by more than `margin`, a share. */
export function fastest(times: readonly number[], margin: number): number {
  let best = 0;
  times.forEach((ms, i) => {
    if (ms < times[best]! && ms < times[0]! * (1 - margin)) best = i;
  });
  return best;
}
