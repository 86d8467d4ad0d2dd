/** One step of continuous batching: what the scheduler tells an executor to compute. */
import type { Move } from "../../kv/moves.ts";
import type { Group, Request, Sequence } from "./request.ts";

/** Consecutive tokens of one sequence that a step computes. */
export interface StepSpan {
  sequence: Sequence;
  /** Position of the first token. */
  first: number;
  count: number;
  /** The sequences that get their next token from the logits of the last one: none, one, or all of a group. */
  outputs: readonly Sequence[];
}

/** The next work. Valid until the scheduler is asked for the next step. */
export interface Step<R extends Request = Request> {
  /** Moves of K and V to carry out before computing, in this order. */
  readonly moves: readonly Move[];
  /** Groups that run for the first time: their prompts are to be written. */
  readonly admitted: readonly Group<R>[];
  /** Sequences that got K and V from another one by a fork, before this step's spans. */
  readonly forked: readonly { readonly from: Sequence; readonly to: Sequence }[];
  /** Tokens to compute, sequence by sequence. */
  readonly spans: readonly StepSpan[];
  /** Groups whose first new token comes from this step. */
  readonly begun: readonly Group<R>[];
  /** Sequences whose last token comes from this step. */
  readonly ended: readonly Sequence[];
  /** Groups whose last sequence is among those. */
  readonly finished: readonly Group<R>[];
  /** Sequences that run, whether this step has room for all of them or not. */
  readonly nRunning: number;
  readonly nRows: number;
  /** Groups that were preempted to make room, by swapping or to be recomputed. */
  readonly nPreempted: number;
  /** True if a request waits that would fit the free memory if it lay together. */
  readonly fragmented: boolean;
  /** True if a request waits for memory. */
  readonly starved: boolean;
}
