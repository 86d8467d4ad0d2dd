/**
 * Requests, and the sequences that they become. The scheduler sees how many tokens there are, never which.
 */
import type { PrefixKey } from "../../kv/prefix_keys.ts";
import type { Lengths } from "../../kv/policy.ts";

/** Continuations of one prompt. */
export interface Request extends Lengths {
  /** Names it; no two requests of a scheduler's life have the same. */
  readonly id: number;
  /** Keys of the prompt's full blocks, where the prefix cache may share them. */
  readonly prefix?: readonly PrefixKey[];
}

/** One continuation of a request. */
export interface Sequence {
  /** The request's sequences together. */
  readonly group: Group;
  /** Which of the request's continuations. */
  readonly index: number;
  /** Its number in the policy and in every table, from its first step to its end; before that, -1. */
  number: number;
  /** Tokens that are known: the prompt's, and those that steps so far have chosen. */
  nTokens: number;
  /** Leading tokens whose K and V are stored. */
  nComputed: number;
  /** True if no step will compute it any more. */
  ended: boolean;
  /** The sequence itself, as a list. */
  readonly alone: readonly [Sequence];
}

class Continuation implements Sequence {
  number = -1;
  nComputed = 0;
  ended = false;
  readonly alone: readonly [Sequence] = [this];

  constructor(readonly group: Group, readonly index: number, public nTokens: number) {}
}

type GroupState = "waiting" | "running" | "returning";

/** The sequences of one request: admitted, preempted and brought back together. */
export class Group<R extends Request = Request> {
  readonly request: R;
  /** One per continuation. */
  readonly sequences: readonly Sequence[];
  /** Waiting for its first step, running, or preempted and to return. */
  state: GroupState = "waiting";
  /** True if each sequence has K and V of its own: before, the first one computes the prompt for all. */
  forked: boolean;

  /** Begins with the prompt known and nothing computed. */
  constructor(request: R) {
    this.request = request;
    const { continuations = 1, promptTokens } = request;
    this.sequences = Array.from(
      { length: continuations },
      (_, index) => new Continuation(this, index, promptTokens),
    );
    this.forked = continuations === 1;
  }

  /** The sequences that are not over. */
  get live(): Sequence[] {
    return this.sequences.filter(({ ended }) => !ended);
  }
}
