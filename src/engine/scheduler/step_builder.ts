/**
 * The step under construction: its lists are used again for every step, since a long simulation makes millions.
 */
import type { Move } from "../../kv/moves.ts";
import type { Group, Request, Sequence } from "./request.ts";
import type { Step, StepSpan } from "./step.ts";

/** A step that can be added to. */
export class StepBuilder<R extends Request> implements Step<R> {
  moves: readonly Move[] = [];
  readonly admitted: Group<R>[] = [];
  readonly forked: { readonly from: Sequence; readonly to: Sequence }[] = [];
  readonly spans: StepSpan[] = [];
  readonly begun: Group<R>[] = [];
  readonly ended: Sequence[] = [];
  readonly finished: Group<R>[] = [];
  nRunning = 0;
  nRows = 0;
  nPreempted = 0;
  fragmented = false;
  starved = false;
  /** Span objects, which `spans` refers to; emptying a list would make it allocate again. */
  readonly #pool: StepSpan[] = [];
  #nSpans = 0;

  clear(): void {
    this.admitted.length = 0;
    this.forked.length = 0;
    this.#nSpans = 0;
    this.begun.length = 0;
    this.ended.length = 0;
    this.finished.length = 0;
    this.nRows = 0;
    this.nPreempted = 0;
    this.fragmented = false;
    this.starved = false;
  }

  /** Adds the next `count` tokens of a sequence. */
  add(sequence: Sequence, count: number, outputs: readonly Sequence[]): void {
    const span = this.#pool[this.#nSpans] ??= { sequence, first: 0, count, outputs };
    span.sequence = sequence;
    span.first = sequence.nComputed;
    span.count = count;
    span.outputs = outputs;
    this.spans[this.#nSpans++] = span;
    this.nRows += count;
  }

  /** Takes back what was added of a group, all of it at the end. */
  removeLast(group: Group): void {
    while (this.#nSpans > 0 && this.spans[this.#nSpans - 1]!.sequence.group === group) {
      this.nRows -= this.spans[--this.#nSpans]!.count;
    }
  }

  /** Leaves out spans of an earlier step. Must be called before the step is used. */
  finish(): void {
    this.spans.length = this.#nSpans;
  }
}
