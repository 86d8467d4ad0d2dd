/**
 * Carries a scheduler's steps out on the GPU: brings prompts to their slots, moves K and V as the memory says, and runs
 * the spans as mixed batches of prefill and decoding.
 *
 * @module
 */
import type { Span } from "../model/batch.ts";
import type { Gpt2 } from "../model/gpt2.ts";
import { NOT_FINITE } from "../base/finite.ts";
import { GREEDY, type Sampling } from "../model/sampling.ts";
import { notFiniteError } from "./not_finite.ts";
import type { Executor } from "./scheduler/executor.ts";
import type { KvMemory } from "./scheduler/kv_memory.ts";
import type { Request, Sequence } from "./scheduler/request.ts";
import type { Step, StepSpan } from "./scheduler/step.ts";
import { SharedRunner, type SharedRunnerOptions, type TokenRange } from "./shared_runner.ts";

/** What an executor is sized for, and where it gets prompts from. */
export interface GpuExecutorOptions<R extends Request> extends SharedRunnerOptions {
  /** The prompt of a request. */
  promptOf(request: R): readonly number[];
  /** How a continuation's tokens are chosen; greedily where left out. */
  samplingOf?(request: R, index: number): Sampling;
  /** Called with the ids of a sequence that has all its tokens: the prompt's and the new ones. */
  onEnded?(sequence: Sequence, ids: number[]): void;
}

/** Runs steps on a model. */
export class GpuExecutor<R extends Request = Request> implements Executor<R> {
  readonly #model: Gpt2;
  readonly #options: GpuExecutorOptions<R>;
  readonly #runner: SharedRunner;
  readonly #sampledSlots = new Set<number>();
  #startMs = performance.now();

  private constructor(model: Gpt2, options: GpuExecutorOptions<R>, runner: SharedRunner) {
    this.#model = model;
    this.#options = options;
    this.#runner = runner;
  }

  /**
   * Compiles kernels and allocates the pool.
   *
   * @throws {KvbenchError} If a kernel does not compile or a buffer is too large.
   */
  static async create<R extends Request>(
    model: Gpt2,
    memory: KvMemory,
    options: GpuExecutorOptions<R>,
  ): Promise<GpuExecutor<R>> {
    return new GpuExecutor(model, options, await SharedRunner.create(model, memory, options));
  }

  /** Milliseconds since the executor was made, or {@linkcode GpuExecutor.start} was called. */
  get nowMs(): number {
    return performance.now() - this.#startMs;
  }

  /** Sets the clock to 0. */
  start(): void {
    this.#startMs = performance.now();
  }

  /** Bytes of K and V on the GPU. */
  get kvBytes(): number {
    return this.#runner.kvBytes;
  }

  /** Bytes of K and V that were copied on the GPU, by forks and on writes to shared blocks. */
  get copiedBytes(): number {
    return this.#runner.copiedBytes;
  }

  /** Sleeps. */
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
    this.submit();
    await this.#model.gpu.fence.wait();
    this.#model.gpu.assertHealthy();
    this.#runner.assertKept();
    if (step.ended.length > 0) this.#runner.keep(this.#bringBack([...step.ended]));
  }

  /** Brings the ids of ended sequences back, and checks that all could be chosen. */
  async #bringBack(ended: readonly Sequence[]): Promise<void> {
    const ids = await this.read(ended.map(({ slot, nTokens }) => ({ slot, first: 0, count: nTokens })));
    for (const own of ids) {
      const bad = own.indexOf(NOT_FINITE);
      if (bad >= 0) throw await notFiniteError(this.#model, own.slice(0, bad), this.#options.kvDtype);
    }
    ended.forEach((sequence, i) => this.#options.onEnded?.(sequence, ids[i]!));
  }

  /**
   * Records a step behind those before it, without waiting for anything but host memory that is swapped in. It may
   * stay recorded until {@linkcode GpuExecutor.submit}.
   */
  async enqueue(step: Step<R>): Promise<void> {
    // What follows writes tables that steps recorded before must not see.
    if (step.admitted.length > 0 || step.moves.length > 0) this.submit();
    for (const { request, sequences } of step.admitted) {
      const ids = this.#options.promptOf(request);
      for (const { slot, index } of sequences) {
        const sampling = this.#options.samplingOf?.(request, index) ?? GREEDY;
        this.#runner.writeTokens(slot, 0, ids);
        this.#runner.writeSampling(slot, sampling);
        if (sampling.temperature > 0) this.#sampledSlots.add(slot);
        else this.#sampledSlots.delete(slot);
      }
    }
    if (step.moves.length > 0) await this.#runner.move(step.moves);
    if (step.spans.length === 0) return;
    const sampled = step.spans.some(({ outputs }) =>
      outputs.some(({ slot }) => this.#sampledSlots.has(slot))
    );
    this.#runner.record(step.spans.map(spanOf), sampled ? "sampled" : "greedy");
  }

  /** Submits what is recorded. */
  submit(): void {
    this.#runner.submit();
  }

  /**
   * Reads ids that steps submitted so far have chosen; in the order of the ranges. An id is `NOT_FINITE` where logits
   * are infinite or NaN.
   *
   * @throws {KvbenchError} If the device fails.
   */
  read(ranges: readonly TokenRange[]): Promise<number[][]> {
    return this.#kept(this.#runner.tokens(ranges));
  }

  /**
   * Reads logits of the step that was submitted last: [vocabSize] for each of these rows, which are its outputs in
   * order. Steps that are submitted after the call do not matter.
   *
   * @throws {KvbenchError} If the device fails.
   */
  logits(rows: readonly number[]): Promise<Float32Array[]> {
    return this.#kept(this.#runner.logits(rows));
  }

  /** A readback that {@linkcode GpuExecutor.settle} waits for, whether its reader does or not. */
  #kept<T>(read: Promise<T>): Promise<T> {
    this.#runner.keep(read);
    return read;
  }

  /**
   * Waits for all that is being read back.
   *
   * @throws {KvbenchError} If the device has failed.
   */
  async settle(): Promise<void> {
    await this.#runner.settle();
  }

  /** Frees everything. {@linkcode GpuExecutor.settle} comes before it. */
  dispose(): void {
    this.#runner.dispose();
  }
}

function spanOf({ sequence, first, count, outputs }: StepSpan): Span {
  const others = outputs.filter((output) => output !== sequence);
  return {
    sequence: sequence.slot,
    first,
    count,
    outputs: outputs.length - others.length,
    ...(others.length > 0 && { alsoFor: others.map(({ slot }) => slot) }),
  };
}
