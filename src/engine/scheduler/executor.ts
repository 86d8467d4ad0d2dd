/**
 * The interface of executors, which carry steps out: the GPU, or a clock that only counts what a GPU would take. The scheduler and all that
 * drives it are the same for both.
 */
import type { Request } from "./request.ts";
import type { Step } from "./step.ts";

/** Carries steps out, in the order in which they are given. */
export interface Executor<R extends Request = Request> {
  /** Milliseconds since the executor's start. */
  readonly nowMs: number;
  /** Lets time pass until then. */
  until(ms: number): Promise<void> | void;
  /** Carries a step out; its tokens are chosen when this returns, or what it returns resolves. */
  run(step: Step<R>): Promise<void> | void;
}
