/**
 * Timing alternatives on the adapter in hand, interleaved and within a budget. Knows no GPT-2: what is timed is
 * whatever a candidate records.
 *
 * @module
 */
import type { Gpu } from "./gpu.ts";
import { Recorder } from "./recorder.ts";
import { Timestamps } from "./timestamps.ts";

/** Something that can be done in more than one way: records one way of doing it. */
export type Candidate = (recorder: Recorder) => void;

/** Rounds that are timed, after one that isn't. */
const ROUNDS = 5;
/** Candidates that are done sooner are timed for so long, in ms, or in so many rounds. Default of `leastMs`. */
const LEAST_MS = 200, MOST_ROUNDS = 40;

/** How many times as long as the fastest a candidate may take to be timed again. */
const HOPELESS = 2;

/** How many times as long as the longest step so far the next one may take: kernels differ. */
const UNEVEN = 1.5;

/** Until when timing, and compiling what is timed, may go on. */
export class TuningBudget {
  readonly #now: () => number;
  readonly #end: number;
  /** What it is a part of, and the longest step of all parts. */
  #whole: { readonly end: number; longestMs: number };

  /**
   * Starts now.
   *
   * @param now Reads a clock, in ms. Default: this process's.
   */
  constructor(ms: number, now: () => number = () => performance.now()) {
    this.#now = now;
    this.#end = now() + ms;
    this.#whole = { end: this.#end, longestMs: 0 };
  }

  /** Milliseconds that are left. */
  get leftMs(): number {
    return Math.max(0, this.#end - this.#now());
  }

  /** Whether the time is over. */
  get spent(): boolean {
    return this.leftMs === 0;
  }

  /** A part of what is left, as a budget of its own. All parts know how long the steps of any of them took. */
  part(share: number): TuningBudget {
    const part = new TuningBudget(this.leftMs * share, this.#now);
    part.#whole = this.#whole;
    return part;
  }

  /**
   * Takes a step if it would end in time: in its part where it takes as long as the longest so far, and in the whole
   * where it takes half as long again. Compiling can't be stopped half-way. Undefined where it is not taken.
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
 * Times candidates in turn, each round from another one on, by timestamp queries where the device has them and by
 * fences otherwise, and returns the shortest time of each, in ms: what else the machine does only adds. Candidates that
 * take far longer than the fastest are timed twice after the warm-up; where the budget ends early, all are timed once.
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
      // The first of a round runs while the host still records the others: each takes its turn.
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

/** The index of the shortest time; the first stays unless another is shorter by more than `margin`, a share. */
export function fastest(times: readonly number[], margin: number): number {
  let best = 0;
  times.forEach((ms, i) => {
    if (ms < times[best]! && ms < times[0]! * (1 - margin)) best = i;
  });
  return best;
}
