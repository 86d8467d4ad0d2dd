/**
 * Runs a stream of requests through a scheduler: the same loop for the GPU and for the dry run.
 *
 * @module
 */
import type { Executor } from "../engine/scheduler/executor.ts";
import type { KvPolicy } from "../kv/policy.ts";
import type { Scheduler } from "../engine/scheduler/scheduler.ts";
import type { TimedRequest } from "./requests.ts";
import type { Tally } from "./tally.ts";

/** Requests that wait in the scheduler at most; the others wait in the stream, which needs no memory. */
const MOST_WAITING = 256;

/** What a simulation joins. */
export interface Simulation {
  /** What decides. */
  readonly scheduler: Scheduler<TimedRequest>;
  /** Where K and V are. */
  readonly memory: KvPolicy;
  /** What computes. */
  readonly executor: Executor<TimedRequest>;
  /** What comes, in order. */
  readonly requests: Iterator<TimedRequest>;
  /** What counts. */
  readonly tally: Tally;
  /** Whether every invariant of the memory is checked at every step. */
  readonly verify?: boolean;
  /** Called with the number of finished requests when it has changed. */
  onProgress?(nFinished: number): void;
}

/**
 * Runs until every request has its tokens.
 *
 * @returns Requests that could never run, and were refused.
 * @throws {Error} If anything is left in the memory, or `verify` finds an invariant broken.
 */
export async function simulate(simulation: Simulation): Promise<number> {
  const { scheduler, memory, executor, requests, tally, verify = false, onProgress } = simulation;
  let nRefused = 0;
  let next = requests.next();
  for (;;) {
    while (!next.done && next.value.arrivalMs <= executor.nowMs && scheduler.nWaiting < MOST_WAITING) {
      if (scheduler.refusal(next.value) === undefined) scheduler.submit(next.value);
      else nRefused++;
      next = requests.next();
    }
    const step = scheduler.step();
    if (verify) memory.verify();
    if (step === undefined) {
      if (next.done) break;
      const passed = executor.until(next.value.arrivalMs);
      if (passed !== undefined) await passed;
      continue;
    }
    const startMs = executor.nowMs;
    const done = executor.run(step);
    if (done !== undefined) await done;
    tally.add(step, memory.usage(), startMs, executor.nowMs);
    if (step.finished.length > 0) onProgress?.(tally.nFinished);
  }
  const { capacity, free } = memory.usage();
  if (free !== capacity) throw new Error(`${capacity - free} of ${capacity} K/V tokens were leaked`);
  return nRefused;
}
