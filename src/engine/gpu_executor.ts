/**
 * Carries a scheduler's steps out on the GPU: writes prompts, moves K and V as the memory says, and runs
 * the spans as mixed batches of prefill and decoding.
 */
import { DEFAULT_DTYPE } from "../formats/registry.ts";
import type { Span } from "../model/batch.ts";
import type { Kv } from "../kv/strategy_def.ts";
import type { Model } from "../model/model.ts";
import { GREEDY, type Sampling } from "../model/sampling.ts";
import { assertChosen } from "./not_finite.ts";
import type { Executor } from "./scheduler/executor.ts";
import type { Request, Sequence } from "./scheduler/request.ts";
import type { Step, StepSpan } from "./scheduler/step.ts";
import { Runner, type RunnerOptions } from "./runner.ts";

/** Sizes of an executor, and the source of its prompts. */
export interface GpuExecutorOptions<R extends Request> extends Omit<RunnerOptions, "movesSlots"> {
  /** False if no sequence is ever forked, preempted by swapping, or shares blocks. Default: true. */
  readonly movesSlots?: boolean;
  /** The prompt of a request. */
  promptOf(request: R): readonly number[];
  /** Returns a continuation's sampling. Default: greedy. */
  samplingOf?(request: R, index: number): Sampling;
  /** Called with the ids of a sequence that has all its tokens: the prompt's and the new ones. */
  onEnded?(sequence: Sequence, ids: number[]): void;
}

/** Runs steps on a model. */
export class GpuExecutor<R extends Request = Request> implements Executor<R> {
  /** Records, submits and reads the steps. */
  readonly runner: Runner;
  readonly #model: Model;
  readonly #options: GpuExecutorOptions<R>;
  readonly #sampled = new Set<number>();
  #startMs = performance.now();

  private constructor(model: Model, options: GpuExecutorOptions<R>, runner: Runner) {
    this.#model = model;
    this.#options = options;
    this.runner = runner;
  }

  /**
   * Compiles kernels and allocates the pool.
   *
   * @throws {KvbenchError} If a kernel does not compile or a buffer is too large.
   */
  static async create<R extends Request>(
    model: Model,
    kv: Kv,
    options: GpuExecutorOptions<R>,
  ): Promise<GpuExecutor<R>> {
    return new GpuExecutor(model, options, await Runner.create(model, kv, { movesSlots: true, ...options }));
  }

  /** Milliseconds since the executor was made, or {@linkcode GpuExecutor.start} was called. */
  get nowMs(): number {
    return performance.now() - this.#startMs;
  }

  /** Sets the clock to 0. */
  start(): void {
    this.#startMs = performance.now();
  }

  async until(ms: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, ms - this.nowMs)));
  }

  /**
   * Carries a step out and waits for the GPU. Ids stay there: those of sequences that have all their tokens are
   * brought back in passing.
   *
   * @throws {NotFiniteError} If logits of a sequence that ended before are infinite or NaN.
   * @throws {KvbenchError} If the device has failed.
   */
  async run(step: Step<R>): Promise<void> {
    await this.enqueue(step);
    this.runner.submit();
    await this.#model.gpu.fence.wait();
    this.#model.gpu.assertHealthy();
    this.runner.reads.assertNoneFailed();
    if (step.ended.length > 0) this.runner.reads.keep(this.#bringBack([...step.ended]));
  }

  /** Brings the ids of ended sequences back, and checks that all could be chosen. */
  async #bringBack(ended: readonly Sequence[]): Promise<void> {
    const ids = await this.runner.tokens(
      ended.map(({ number, nTokens }) => ({ sequence: number, first: 0, count: nTokens })),
    );
    const { kvDtype = DEFAULT_DTYPE } = this.#options;
    for (const own of ids) await assertChosen(this.#model, own, kvDtype);
    ended.forEach((sequence, i) => this.#options.onEnded?.(sequence, ids[i]!));
  }

  /**
   * Records a step behind those before it, without waiting for anything but host memory that is swapped in. It may
   * stay recorded until the runner submits.
   */
  async enqueue(step: Step<R>): Promise<void> {
    // What follows writes tables that steps recorded before must not see.
    if (step.admitted.length > 0 || step.moves.length > 0) this.runner.submit();
    for (const { request, sequences } of step.admitted) {
      const ids = this.#options.promptOf(request);
      for (const { number, index } of sequences) {
        const sampling = this.#options.samplingOf?.(request, index) ?? GREEDY;
        this.runner.writeTokens(number, 0, ids);
        this.runner.writeSampling(number, [sampling]);
        if (sampling.temperature > 0) this.#sampled.add(number);
        else this.#sampled.delete(number);
      }
    }
    if (step.moves.length > 0) await this.runner.pool.move(step.moves);
    if (step.spans.length === 0) return;
    const waiting = this.runner.around?.ready?.();
    if (waiting) await waiting;
    const sampled = step.spans.some(({ outputs }) => outputs.some(({ number }) => this.#sampled.has(number)));
    this.runner.record(step.spans.map(spanOf), sampled ? "sampled" : "greedy");
  }
}

function spanOf({ sequence, first, count, outputs }: StepSpan): Span {
  const others = outputs.filter((output) => output !== sequence);
  return {
    sequence: sequence.number,
    first,
    count,
    outputs: outputs.length - others.length,
    ...(others.length > 0 && { alsoFor: others.map(({ number }) => number) }),
  };
}
