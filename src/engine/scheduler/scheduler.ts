/**
 * Continuous batching, iteration by iteration (Yu et al., Orca, OSDI 2022): each step computes what it can of every
 * running sequence and admits waiting ones as long as there is room. First come, first served; long prompts are
 * computed in chunks beside the decoding of others (Agrawal et al., Sarathi-Serve, OSDI 2024); where memory runs out,
 * the request that came last is preempted, and either computed again later or swapped to host memory (Kwon et al.
 * 2023, section 4.5). A request's sequences are preempted and brought back together.
 *
 * Host only. It counts tokens and knows none; where K and V live is the memory's business, computing the executor's.
 * It takes for granted that the steps it returns are carried out, so that it can be asked for several in advance.
 */
import { KvbenchError } from "../../base/errors.ts";
import type { Swapped } from "../../kv/moves.ts";
import type { Admission, KvPolicy } from "../../kv/policy.ts";
import { cachedPrefix, publishPrefix } from "./prefix.ts";
import { Queue } from "./queue.ts";
import { Group, type Request, type Sequence } from "./request.ts";
import { type Counters, noCounts } from "./counters.ts";
import { checkOptions, refusalOf, type SchedulerOptions } from "./scheduler_options.ts";
import { StepBuilder } from "./step_builder.ts";
import type { Step } from "./step.ts";

const NONE: readonly Sequence[] = [];

/** Decides what each step computes. */
export class Scheduler<R extends Request = Request> {
  /** Counts of what has happened so far. */
  readonly counters: Counters = noCounts();
  readonly #memory: KvPolicy;
  readonly #options: SchedulerOptions;
  readonly #step: StepBuilder<R>;
  /** Never ran. */
  readonly #waiting = new Queue<Group<R>>();
  /** Preempted, the one to bring back first at the end. All of them came before those that wait. */
  readonly #returning: Group<R>[] = [];
  readonly #swapped = new Map<
    Group<R>,
    { readonly swapped: Swapped; readonly members: readonly Sequence[] }
  >();
  /** In the order in which they came; the sequences of a group lie together. */
  #running: Sequence[] = [];
  readonly #groups = new Map<number, Group<R>>();
  readonly #freeNumbers: number[];
  /** Groups whose first sequence has computed the prompt for all. */
  #toFork: Group<R>[] = [];
  #someEnded = false;
  /** Free tokens when the request that is next was refused; nothing changes before there are more. */
  #starvedAt: number | undefined;
  #fragmented = false;

  /**
   * Begins with nothing to do.
   *
   * @throws {UsageError} If a step could not decode one token of every sequence.
   */
  constructor(memory: KvPolicy, options: SchedulerOptions) {
    checkOptions(options, memory);
    this.#memory = memory;
    this.#options = options;
    this.#step = new StepBuilder<R>();
    const count = Math.min(options.maxSequences, memory.maxSequences);
    this.#freeNumbers = Array.from({ length: count }, (_, i) => count - 1 - i);
  }

  /** Requests that wait for their first step. */
  get nWaiting(): number {
    return this.#waiting.length;
  }

  /** Requests that were preempted and are to return. */
  get nReturning(): number {
    return this.#returning.length;
  }

  /** Sequences that steps compute now. */
  get nRunning(): number {
    return this.#running.length;
  }

  /** Why a request could never run, however long it waits, with both numbers; undefined where it could. */
  refusal(request: Request): string | undefined {
    return refusalOf(request, this.#options, this.#memory.traits) ?? this.#memory.refusal(request);
  }

  /**
   * Adds a request behind all others.
   *
   * @throws {KvbenchError} If it could never run.
   */
  submit(request: R): Group<R> {
    const refusal = this.refusal(request);
    if (refusal !== undefined) throw new KvbenchError(`Request ${request.id} can never run: ${refusal}`);
    const group = new Group(request);
    this.#groups.set(request.id, group);
    this.#waiting.push(group);
    return group;
  }

  /** Ends a request wherever it is; does nothing where it has ended. */
  cancel(id: number): void {
    const group = this.#groups.get(id);
    group?.live.forEach((sequence) => this.end(sequence));
  }

  /** Ends a sequence before its time; does nothing where it has ended. */
  end(sequence: Sequence): void {
    if (sequence.ended) return;
    sequence.ended = true;
    const group = sequence.group as Group<R>;
    const over = group.live.length === 0;
    if (over) this.#groups.delete(group.request.id);
    if (group.state === "running") this.#someEnded = true; // its room is freed when the next step begins
    else if (over && group.state === "waiting") this.#waiting.remove(group);
    else if (over) {
      this.#returning.splice(this.#returning.indexOf(group), 1);
      const saved = this.#swapped.get(group);
      if (saved !== undefined) this.#memory.drop(saved.swapped);
      this.#swapped.delete(group);
      this.#release(group);
    }
    this.#starvedAt = undefined;
  }

  /**
   * Decides what to compute next.
   *
   * @returns Undefined where there is nothing to do.
   */
  step(): Step<R> | undefined {
    const step = this.#step;
    step.clear();
    this.#fork();
    if (this.#someEnded) this.#sweep();
    this.#continue();
    if (step.nPreempted === 0) this.#admit();
    step.finish();
    step.moves = this.#memory.takeMoves();
    step.nRunning = this.#running.length;
    if (step.spans.length === 0) {
      if (this.#groups.size > 0) throw new Error(`${this.#groups.size} requests are left, and none can run`);
      return step.moves.length > 0 ? step : undefined;
    }
    this.#commit();
    return step;
  }

  /** Gives every sequence of a group the K and V of its prompt. */
  #fork(): void {
    for (const group of this.#toFork) {
      const at = this.#running.findIndex((sequence) => sequence.group === group);
      const leader = this.#running[at]!;
      const children = group.sequences.filter((each) => each !== leader && !each.ended);
      for (const { ended, number } of group.sequences) {
        if (ended && number !== leader.number) this.#memory.release(number); // what was reserved for it
      }
      for (const child of children) {
        this.#memory.fork(leader.number, child.number);
        child.nComputed = leader.nComputed;
        this.#step.forked.push({ from: leader, to: child });
      }
      group.forked = true;
      this.#someEnded ||= leader.ended; // it went on for the others, and is not needed any more
      this.#running.splice(at + 1, 0, ...children);
    }
    this.#toFork = [];
  }

  /** Frees what has ended. */
  #sweep(): void {
    this.#someEnded = false;
    this.#running = this.#running.filter((sequence) => {
      if (!sequence.ended) return true;
      const group = sequence.group as Group<R>;
      if (group.live.length === 0) this.#release(group);
      else if (group.forked) this.#memory.release(sequence.number);
      else return true; // it computes the prompt for the others
      return false;
    });
  }

  /** Frees the room and the numbers of a group that is over. */
  #release(group: Group<R>): void {
    for (const sequence of group.sequences) {
      if (sequence.number < 0) continue;
      this.#memory.release(sequence.number);
      this.#freeNumbers.push(sequence.number);
      sequence.number = -1;
    }
  }

  /** Plans what running sequences compute, and preempts the last ones where there is no room for the first. */
  #continue(): void {
    const running = this.#running;
    for (let i = 0; i < running.length; i++) {
      const sequence = running[i]!;
      const count = this.#pending(sequence);
      if (count === 0) break;
      while (!this.#memory.grow(sequence.number, sequence.nComputed + count)) {
        const { traits: { preemptible } } = this.#memory;
        if (!preemptible) throw new Error(this.#memory.shortage(sequence.number, sequence.nComputed + count));
        const victim = running[running.length - 1]!.group as Group<R>;
        this.#preempt(victim);
        if (victim === sequence.group) return;
      }
      this.#plan(sequence, count);
    }
  }

  /** Tokens that this step may compute of a sequence; none where the step is full. */
  #pending({ group, nTokens, nComputed }: Sequence): number {
    const end = group.forked ? nTokens : group.request.promptTokens;
    return Math.min(end - nComputed, this.#memory.maxChunk, this.#options.maxRows - this.#step.nRows);
  }

  #plan(sequence: Sequence, count: number): void {
    const { group, nComputed, nTokens } = sequence;
    const outputs = nComputed + count < nTokens ? NONE : group.forked ? sequence.alone : group.live;
    this.#step.add(sequence, count, outputs);
  }

  /** Takes the K and V of the group that came last. */
  #preempt(group: Group<R>): void {
    const members: Sequence[] = [];
    while (this.#running.at(-1)?.group === group) members.unshift(this.#running.pop()!);
    this.#step.removeLast(group);
    this.#step.nPreempted++;
    const swapped = this.#options.preemption === "swap"
      ? this.#memory.swapOut(members.map(({ number }) => number))
      : undefined;
    if (swapped !== undefined) {
      this.#swapped.set(group, { swapped, members });
      this.counters.swaps++;
      this.counters.swappedTokens += members.reduce((sum, { nComputed }) => sum + nComputed, 0);
    } else {
      for (const member of members) {
        this.#memory.release(member.number);
        this.counters.recomputedTokens += member.nComputed;
        member.nComputed = 0;
      }
      group.forked = group.live.length === 1;
      this.counters.recomputes++;
    }
    group.state = "returning";
    this.#returning.push(group);
    this.#starvedAt = undefined;
  }

  /** Lets requests run that came before all others that wait, as long as there is room. */
  #admit(): void {
    const step = this.#step;
    while (step.nRows < this.#options.maxRows) {
      const group = this.#returning.at(-1) ?? this.#waiting.peek();
      if (group === undefined) return;
      if (group.state === "waiting" && this.#freeNumbers.length < group.sequences.length) return;
      const { nFree } = this.#memory;
      if (this.#starvedAt === undefined || nFree > this.#starvedAt) {
        const isSwapped = this.#swapped.has(group);
        this.#starvedAt = (isSwapped ? this.#bringBack(group) : this.#begin(group)) ? undefined : nFree;
      }
      if (this.#starvedAt === undefined) continue;
      step.starved = true;
      step.fragmented = this.#fragmented;
      return;
    }
  }

  /** Starts a group from its prompt, unless there is no room. */
  #begin(group: Group<R>): boolean {
    const isNew = group.state === "waiting";
    if (isNew) { for (const sequence of group.sequences) sequence.number = this.#freeNumbers.pop()!; }
    const { live, request } = group;
    const leader = live[0]!;
    const prefix = cachedPrefix(leader, this.#memory);
    leader.nComputed = prefix.length * (this.#memory.blockSize ?? 0);
    const count = this.#pending(leader);
    const { promptTokens } = request;
    const admission: Admission = {
      request,
      sequences: live.map(({ number }) => number),
      nTokens: leader.nComputed + count,
      nKnown: live.reduce((sum, { nTokens }) => sum + nTokens - promptTokens, promptTokens),
      prefix,
      alone: this.#running.length === 0,
    };
    if (!this.#memory.admit(admission)) {
      this.#fragmented = this.#memory.isFragmented(admission);
      leader.nComputed = 0;
      if (isNew) this.#release(group);
      return false;
    }
    if (isNew) {
      this.#waiting.shift();
      this.#step.admitted.push(group);
      this.counters.promptTokens += promptTokens;
      this.counters.hitTokens += leader.nComputed;
    } else this.#returning.pop();
    group.state = "running";
    this.#running.push(leader);
    this.#plan(leader, count);
    return true;
  }

  /** Continues a group whose K and V are in host memory, unless there is no room. */
  #bringBack(group: Group<R>): boolean {
    const { swapped, members } = this.#swapped.get(group)!;
    this.#fragmented = false;
    if (!this.#memory.swapIn(swapped, this.#running.length === 0)) return false;
    this.#swapped.delete(group);
    this.#returning.pop();
    group.state = "running";
    for (const member of members) {
      if (member.ended && group.forked) {
        this.#memory.release(member.number);
        continue;
      }
      this.#running.push(member);
      const count = this.#pending(member);
      if (count > 0 && this.#memory.grow(member.number, member.nComputed + count)) this.#plan(member, count);
    }
    return true;
  }

  /** Notes what the step will have done. */
  #commit(): void {
    for (const span of this.#step.spans) {
      const { sequence, outputs } = span;
      const group = sequence.group as Group<R>;
      const { promptTokens } = group.request;
      const end = span.first + span.count;
      if (span.first < promptTokens) publishPrefix(sequence, end, this.#memory);
      sequence.nComputed = this.#memory.firstToCompute(sequence.number);
      for (const output of outputs) this.#choose(output);
      if (outputs.length > 0 && outputs[0]!.nTokens === promptTokens + 1) this.#step.begun.push(group);
      if (!group.forked && end >= promptTokens) this.#toFork.push(group);
    }
  }

  /** Notes that a sequence has one more token. */
  #choose(sequence: Sequence): void {
    const group = sequence.group as Group<R>;
    sequence.nTokens++;
    if (sequence.nTokens < group.request.promptTokens + group.request.newTokens) return;
    this.#step.ended.push(sequence);
    this.end(sequence);
    if (group.live.length === 0) this.#step.finished.push(group);
  }
}
