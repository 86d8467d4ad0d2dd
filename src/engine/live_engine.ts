/**
 * Requests that come at any time: joined by continuous batching, their tokens handed over one by one, each as soon as it
 * is there. Owns the scheduler, the executor and the loop between them; knows neither text nor HTTP.
 *
 * Where a readback resolves about 11 ms after the GPU is done (see `gpu/staging.ts`), several steps are under way at
 * once, as many as fit that time: which tokens they make does not depend on what the host has seen. What is ended early
 * has then been computed a few tokens too far, which nobody sees.
 */
import { KvbenchError } from "../base/errors.ts";
import type { KvPolicy, KvUsage } from "../kv/policy.ts";
import type { Kv } from "../kv/strategy_def.ts";
import type { Dtype } from "../formats/registry.ts";
import { NOT_FINITE } from "../base/finite.ts";
import type { Model } from "../model/model.ts";
import { largestIndices, logSumExp } from "../model/log_probabilities.ts";
import type { Sampling } from "../model/sampling.ts";
import { GpuExecutor, type GpuExecutorOptions } from "./gpu_executor.ts";
import { notFiniteError } from "./not_finite.ts";
import type { Counters } from "./scheduler/counters.ts";
import type { Group, Request, Sequence } from "./scheduler/request.ts";
import { Scheduler } from "./scheduler/scheduler.ts";
import type { SchedulerOptions } from "./scheduler/scheduler_options.ts";
import type { Step } from "./scheduler/step.ts";

/** Milliseconds from the end of the GPU's work to the ids on the host, where the runtime can't read at once. */
const READBACK_MS = 11;
/** Steps whose ids are on their way at most, however short they are. */
const MOST_UNDER_WAY = 8;

/** A token's log-probability, and those of the likeliest tokens, under the model itself: before temperature. */
export interface TokenLogprobs {
  /** Of the token that was chosen. */
  readonly chosen: number;
  /** The likeliest tokens, the likeliest first. */
  readonly top: readonly { readonly id: number; readonly logprob: number }[];
}

/** A request whose tokens are wanted one by one. */
interface LiveRequest extends Request {
  readonly ids: readonly number[];
  /** Samplings: one for each continuation. */
  readonly samplings: readonly Sampling[];
  /** Likeliest tokens whose log-probabilities are wanted with each token; none, not even its own, if undefined. */
  readonly topLogprobs: number | undefined;
  /** Called with each new token of a continuation, in order. */
  onToken(index: number, id: number, logprobs: TokenLogprobs | undefined): void;
  /** Called once if the engine fails before the request has ended, or this request alone does. */
  onFailure(error: unknown): void;
}

interface LiveEngineOptions
  extends SchedulerOptions, Required<Pick<GpuExecutorOptions<LiveRequest>, "kvDtype">> {}

/** A request that has not ended, as its reader sees it. */
interface Live {
  readonly group: Group<LiveRequest>;
  /** By continuation, tokens that are still to be handed over. */
  readonly left: number[];
  /** By continuation, tokens that were handed over. */
  readonly gained: readonly number[][];
}

/** The place of a chosen token. */
interface Output {
  readonly live: Live;
  readonly index: number;
  readonly sequence: number;
  readonly first: number;
  readonly count: 1;
  /** Among the step's outputs. */
  readonly row: number;
}

/** Serves requests from one model and one K/V memory. */
export class LiveEngine {
  readonly #model: Model;
  readonly #memory: KvPolicy;
  readonly #scheduler: Scheduler<LiveRequest>;
  readonly #executor: GpuExecutor<LiveRequest>;
  readonly #kvDtype: Dtype;
  readonly #live = new Map<number, Live>();
  #delivered: Promise<void> = Promise.resolve();
  /** Requests that failed alone and are being told why. */
  #told: Promise<void> = Promise.resolve();
  /** The duration of a step, on average of late. */
  #stepMs = READBACK_MS;
  #stopping = false;
  #wake: (() => void) | undefined;

  private constructor(
    model: Model,
    memory: KvPolicy,
    scheduler: Scheduler<LiveRequest>,
    executor: GpuExecutor<LiveRequest>,
    kvDtype: Dtype,
  ) {
    this.#model = model;
    this.#kvDtype = kvDtype;
    this.#memory = memory;
    this.#scheduler = scheduler;
    this.#executor = executor;
  }

  /**
   * Compiles kernels and allocates the pool.
   *
   * @throws {UsageError} If a step is too small for the sequences.
   * @throws {KvbenchError} If a kernel does not compile or a buffer is too large.
   */
  static async create(model: Model, kv: Kv, options: LiveEngineOptions): Promise<LiveEngine> {
    const scheduler = new Scheduler<LiveRequest>(kv.policy, options);
    const executor = await GpuExecutor.create<LiveRequest>(model, kv, {
      maxSequences: options.maxSequences,
      maxRows: options.maxRows,
      kvDtype: options.kvDtype,
      promptOf: ({ ids }) => ids,
      samplingOf: ({ samplings }, index) => samplings[index]!,
    });
    return new LiveEngine(model, kv.policy, scheduler, executor, options.kvDtype);
  }

  /** Sequences that are computed now. */
  get nRunning(): number {
    return this.#scheduler.nRunning;
  }

  /** Requests that wait for their first step, or to be brought back. */
  get nWaiting(): number {
    return this.#scheduler.nWaiting + this.#scheduler.nReturning;
  }

  /** Preemptions, prefix hits and the like. */
  get counters(): Readonly<Counters> {
    return this.#scheduler.counters;
  }

  /** Bytes of K and V that were copied on the GPU, by forks and on writes to shared blocks. */
  get copiedBytes(): number {
    return this.#executor.runner.pool.copiedBytes;
  }

  /** Bytes of a token's K and V in all kept layers. */
  get tokenBytes(): number {
    return this.#executor.runner.pool.tokenBytes;
  }

  /** Bytes on the GPU, the model's among them, as the ledger counts them. */
  get gpuBytes(): number {
    return this.#model.gpu.ledger.current.total;
  }

  /** Returns the K/V memory in use. */
  usage(): KvUsage {
    return this.#memory.usage();
  }

  /** Tokens in a block, for which a request's prefix keys are made; undefined where nothing is shared. */
  get blockSize(): number | undefined {
    return this.#memory.blockSize;
  }

  /** Why a request could never run, or undefined where it could. */
  refusal(request: Request): string | undefined {
    return this.#scheduler.refusal(request);
  }

  /**
   * Adds a request behind all others.
   *
   * @throws {KvbenchError} If it could never run, or the engine is stopping.
   */
  submit(request: LiveRequest): void {
    if (this.#stopping) throw new KvbenchError(`Request ${request.id} came when the engine was stopping`);
    const group = this.#scheduler.submit(request);
    this.#live.set(request.id, {
      group,
      left: group.sequences.map(() => request.newTokens),
      gained: group.sequences.map(() => []),
    });
    this.#wakeUp();
  }

  /** Ends a continuation before its time; does nothing where it has ended. */
  end(id: number, index: number): void {
    const live = this.#live.get(id);
    if (live === undefined) return;
    live.left[index] = 0;
    this.#scheduler.end(live.group.sequences[index]!);
    this.#forgetIfOver(live);
    this.#wakeUp();
  }

  /** Ends a request wherever it is, and frees its memory; does nothing where it has ended. */
  cancel(id: number): void {
    if (!this.#live.delete(id)) return;
    this.#scheduler.cancel(id);
    this.#wakeUp();
  }

  /** Lets {@linkcode run} return when everything has ended. */
  stop(): void {
    this.#stopping = true;
    this.#wakeUp();
  }

  /**
   * Computes until {@linkcode stop} is called and nothing is left.
   *
   * @param onStep Called with what the memory holds in each step.
   * @throws {KvbenchError} If the device fails. Open requests have been told then.
   */
  async run(onStep?: (usage: KvUsage) => void): Promise<void> {
    const underWay: Promise<void>[] = [];
    try {
      for (;;) {
        const step = this.#scheduler.step();
        if (step !== undefined) {
          onStep?.(this.usage());
          const startMs = performance.now();
          const { delivered } = await this.#carryOut(step);
          this.#stepMs += (performance.now() - startMs - this.#stepMs) / 8;
          delivered.catch(() => {}); // reported when its turn comes
          underWay.push(delivered);
        }
        if (underWay.length >= this.#mostUnderWay || (step === undefined && underWay.length > 0)) {
          await underWay.shift();
        } else if (step === undefined) {
          if (this.#stopping) return;
          await new Promise<void>((resolve) => this.#wake = resolve);
        }
        await turn(); // a step may have blocked this thread, and others wait for it
      }
    } catch (error) {
      const open = [...this.#live.values()];
      this.#live.clear();
      this.#stopping = true;
      for (const { group } of open) group.request.onFailure(error);
      throw error;
    } finally {
      await Promise.allSettled([...underWay, this.#executor.runner.settle()]);
      await this.#told;
    }
  }

  /**
   * Frees everything, after {@linkcode run} has returned.
   *
   * @throws {Error} If a request's K and V were leaked.
   */
  dispose(): void {
    this.#executor.runner.dispose();
    const { capacity, free } = this.usage();
    const { nRunning, nWaiting } = this;
    if (nRunning + nWaiting === 0 && free !== capacity) {
      throw new Error(`${capacity - free} of ${capacity} K/V tokens were leaked`);
    }
  }

  /** The next step, and those that the GPU may be done with while a readback resolves. */
  get #mostUnderWay(): number {
    if (this.#model.gpu.mapsAtOnce) return 1;
    return Math.min(MOST_UNDER_WAY, 1 + Math.ceil(READBACK_MS / Math.max(this.#stepMs, 1)));
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  /** Submits a step and the readback of what it chooses. */
  async #carryOut(step: Step<LiveRequest>): Promise<{ readonly delivered: Promise<void> }> {
    const outputs = this.#outputsOf(step); // before the scheduler is asked for the next step
    await this.#executor.enqueue(step);
    this.#executor.runner.submit();
    if (outputs.length === 0) return { delivered: this.#afterFence() };
    const scored = outputs.filter(({ live }) => live.group.request.topLogprobs !== undefined);
    const ids = this.#executor.runner.tokens(outputs);
    const logits = scored.length === 0
      ? Promise.resolve([])
      : this.#executor.runner.logits(scored.map(({ row }) => row));
    const both = Promise.all([ids, logits]);
    both.catch(() => {}); // reported when its turn comes
    // Readbacks may resolve in any order.
    this.#delivered = this.#delivered.then(async () => this.#deliver(outputs, ...await both));
    return { delivered: this.#delivered };
  }

  /** Steps without outputs, of long prompts, are waited for too, so that no more than a few are under way. */
  async #afterFence(): Promise<void> {
    await this.#model.gpu.fence.wait();
    this.#model.gpu.assertHealthy();
  }

  /** Returns the tokens that the step chooses, in the order of its rows of logits. */
  #outputsOf(step: Step<LiveRequest>): Output[] {
    const outputs: Output[] = [];
    let row = 0;
    for (const { outputs: sequences } of step.spans) {
      for (const sequence of sequences) {
        const live = this.#liveOf(sequence);
        const { index, number, nTokens } = sequence;
        if (live !== undefined) {
          outputs.push({ live, index, sequence: number, first: nTokens - 1, count: 1, row });
        }
        row++;
      }
    }
    return outputs;
  }

  #liveOf({ group }: Sequence): Live | undefined {
    return this.#live.get(group.request.id);
  }

  #deliver(outputs: readonly Output[], ids: readonly number[][], logits: Float32Array[]): void {
    outputs.forEach(({ live, index }, i) => {
      const { request } = live.group;
      const scores = request.topLogprobs === undefined ? undefined : logits.shift()!;
      if (live.left[index] === 0 || !this.#live.has(request.id)) return; // ended since, or cancelled
      const id = ids[i]![0]!;
      if (id === NOT_FINITE) return this.#failAlone(live, index);
      live.gained[index]!.push(id);
      live.left[index]!--;
      this.#forgetIfOver(live);
      request.onToken(index, id, scores && logprobsOf(scores, id, request.topLogprobs!));
    });
  }

  /** Ends a request whose logits are not finite; the others are computed apart from it. */
  #failAlone({ group: { request }, gained }: Live, index: number): void {
    this.cancel(request.id);
    this.#told = this.#told.then(async () => {
      const ids = [...request.ids, ...gained[index]!];
      request.onFailure(await notFiniteError(this.#model, ids, this.#kvDtype));
    });
  }

  #forgetIfOver({ group, left }: Live): void {
    if (left.every((tokens) => tokens === 0)) this.#live.delete(group.request.id);
  }
}

function logprobsOf(logits: Float32Array, id: number, nTop: number): TokenLogprobs {
  const total = logSumExp(logits);
  return {
    chosen: logits[id]! - total,
    top: largestIndices(logits, nTop).map((each) => ({ id: each, logprob: logits[each]! - total })),
  };
}

/** Lets everything else that waits for this thread run: at once where the runtime can, by a timer elsewhere. */
function turn(): Promise<void> {
  const later: (then: () => void) => unknown = globalThis.setImmediate ?? setTimeout;
  return new Promise((resolve) => later(resolve));
}
