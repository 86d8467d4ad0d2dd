/**
 * The loop that runs a stream of requests through a scheduler, on the GPU or as a dry run.
 *
 * @module
 */
import type { Executor } from "../engine/scheduler/executor.ts";
import type { KvPolicy } from "../kv/policy.ts";
import type { Scheduler } from "../engine/scheduler/scheduler.ts";
import type { TimedRequest } from "./requests.ts";
import type { Tally } from "./tally.ts";

/** Most requests that wait in the scheduler; the others wait in the stream, which needs no memory. */
const MOST_WAITING = 256;

/** The parts of a simulation. */
interface Simulation {
  readonly scheduler: Scheduler<TimedRequest>;
  readonly memory: KvPolicy;
  readonly executor: Executor<TimedRequest>;
  /** Requests in the order of arrival. */
  readonly requests: Iterator<TimedRequest>;
  readonly tally: Tally;
  /** Checks the memory's invariants at every step. */
  readonly verify?: boolean;
  /** Called with the number of finished requests when it changes. */
  onProgress?(nFinished: number): void;
}

/**
 * Runs until every request has its tokens.
 *
 * @returns The number of requests that were refused.
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
