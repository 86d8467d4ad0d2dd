/** The totals of a simulation: latencies per request, and the use of memory and batch over time. */
import type { KvUsage } from "../kv/policy.ts";
import type { Step } from "../engine/scheduler/step.ts";
import type { TimedRequest } from "./requests.ts";
import { Samples } from "./samples.ts";
import { TimelineBuilder } from "./timeline.ts";

/** Limits of a request that counts for goodput. */
export interface LatencyLimits {
  /** Time to first token. */
  readonly ttftMs: number;
  /** Time per output token. */
  readonly tpotMs: number;
}

/** K/V memory over time, in token slots times milliseconds. */
interface SlotTime {
  stored: number;
  later: number;
  internal: number;
  external: number;
  free: number;
  saved: number;
}

/** Times of a finished request, in ms from the start of the run. */
interface RequestTimes {
  /** Its index in the order of arrival. */
  readonly request: number;
  readonly arrival_ms: number;
  readonly first_token_ms: number;
  readonly end_ms: number;
}

/** Number of requests whose times are kept: the first to arrive. */
export const KEPT_REQUESTS = 200;

/** Running totals of one simulation. */
export class Tally {
  /** Time to first token of each request: from its arrival, in ms. */
  readonly ttftMs: Samples = new Samples();
  /** Time per output token of each request with several: (E2E − TTFT) / (new tokens − 1), in ms. */
  readonly tpotMs: Samples = new Samples();
  /** From arrival to last token of each request, in ms. */
  readonly e2eMs: Samples = new Samples();
  /** K/V memory over time. */
  readonly slots: SlotTime = { stored: 0, later: 0, internal: 0, external: 0, free: 0, saved: 0 };
  /** K/V memory and sequences, as a timeline. */
  readonly course: TimelineBuilder = new TimelineBuilder();
  /** Times of the first {@linkcode KEPT_REQUESTS} requests, in the order of their ends. */
  readonly requests: RequestTimes[] = [];
  /** Tokens that were generated. */
  newTokens = 0;
  /** Tokens of the prompts of finished requests. */
  promptTokens = 0;
  /** Requests within the limits. */
  nGood = 0;
  nSteps = 0;
  /** Rows of all steps. */
  nRows = 0;
  /** Sequences times milliseconds. */
  sequenceMs = 0;
  /** Most sequences in a step. */
  peakSequences = 0;
  /** Milliseconds of all steps. */
  busyMs = 0;
  readonly #limits: LatencyLimits | undefined;

  /** @param limits Limits of a request that counts for goodput. Default: none counts. */
  constructor(limits?: LatencyLimits) {
    this.#limits = limits;
  }

  /** Requests that have all their tokens. */
  get nFinished(): number {
    return this.e2eMs.length;
  }

  /** Adds a step from `startMs` to `endMs`, with the memory's usage in it. */
  add(step: Step<TimedRequest>, usage: KvUsage, startMs: number, endMs: number): void {
    const ms = endMs - startMs;
    const { slots } = this;
    this.nSteps++;
    this.nRows += step.nRows;
    this.busyMs += ms;
    this.sequenceMs += step.nRunning * ms;
    this.peakSequences = Math.max(this.peakSequences, step.nRunning);
    slots.stored += usage.stored * ms;
    slots.later += usage.later * ms;
    slots.internal += usage.internal * ms;
    slots.saved += usage.saved * ms;
    // Free memory counts as external fragmentation while a waiting request would fit into it if it were contiguous.
    const [external, free] = step.fragmented ? [usage.free, 0] : [0, usage.free];
    slots.external += external * ms;
    slots.free += free * ms;
    const { stored: token_states, later: reserved, internal } = usage, sequences = step.nRunning;
    this.course.add({ token_states, reserved, internal, external, free, sequences }, startMs, endMs);
    for (const { request } of step.begun) {
      request.firstTokenMs = endMs;
      this.ttftMs.push(endMs - request.arrivalMs);
    }
    for (const { request } of step.finished) this.#finish(request, endMs);
  }

  #finish(request: TimedRequest, nowMs: number): void {
    const { id, arrivalMs, firstTokenMs, newTokens, promptTokens, continuations = 1 } = request;
    this.newTokens += newTokens * continuations;
    this.promptTokens += promptTokens;
    this.e2eMs.push(nowMs - arrivalMs);
    if (id < KEPT_REQUESTS) {
      this.requests.push({ request: id, arrival_ms: arrivalMs, first_token_ms: firstTokenMs, end_ms: nowMs });
    }
    const tpotMs = newTokens > 1 ? (nowMs - firstTokenMs) / (newTokens - 1) : undefined;
    if (tpotMs !== undefined) this.tpotMs.push(tpotMs);
    const limits = this.#limits;
    if (limits === undefined) return;
    const good = firstTokenMs - arrivalMs <= limits.ttftMs && (tpotMs ?? 0) <= limits.tpotMs;
    this.nGood += Number(good);
  }
}
