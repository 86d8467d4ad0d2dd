/**
 * Recording batches one after another: many steps go into one submission, each with tables of its own, and what a step
 * chooses is read by the next one on the GPU. Owns the step tables, the activations and the recorder; knows neither
 * requests nor where K and V are.
 *
 * @module
 */
import type { DispatchTimer } from "../gpu/dispatch_timer.ts";
import type { Kernel } from "../gpu/kernel.ts";
import { Recorder } from "../gpu/recorder.ts";
import type { Timestamps } from "../gpu/timestamps.ts";
import type { KvGroups, KvSource } from "../kv/strategy.ts";
import { type BatchLimits, batchOf, type Span } from "../model/batch.ts";
import { ANY_STEP, type Gpt2, type KvAccess } from "../model/gpt2.ts";
import type { StepRange } from "../model/kernels.ts";
import { packSampling, type Sampling } from "../model/sampling.ts";
import { StepTables } from "../model/step_tables.ts";
import type { Workspace } from "../model/workspace.ts";

/** Steps that are recorded into one submission at most. */
export const STEPS_PER_SUBMISSION = 16;

/** K and V as the runner sees them. */
export interface RunnerKv {
  /** What kernels that touch them are joined with. */
  readonly source: KvSource;
  /** What holds a layer's. */
  bindGroups(layer: number): KvGroups;
}

/** How each output's next token is chosen: not at all, the likeliest, or as its sequence's sampling says. */
export type Choice = "none" | "greedy" | "sampled";

/** How kernels are compiled for a {@link BatchRunner}. */
export interface RunnerOptions {
  /** Whether tokens may be sampled. Default: they may. */
  readonly sampled?: boolean;
  /** The steps that come before {@link BatchRunner.ready} is called. Default: every step. */
  readonly firstSteps?: StepRange;
}

/** Records batches of one model and one K/V memory. */
export class BatchRunner {
  readonly #model: Gpt2;
  readonly #kv: RunnerKv;
  readonly #range: StepRange;
  #access: KvAccess;
  readonly #tables: StepTables;
  readonly #workspace: Workspace;
  readonly #recorder: Recorder;
  #queued = 0;
  #encodeMs = 0;
  #submitMs = 0;

  private constructor(
    model: Gpt2,
    { kv, range, kernels }: { kv: RunnerKv; range: StepRange; kernels: KvAccess["kernels"] },
    tables: StepTables,
    workspace: Workspace,
  ) {
    this.#model = model;
    this.#kv = kv;
    this.#range = range;
    this.#access = accessOf(kv, kernels);
    this.#tables = tables;
    this.#workspace = workspace;
    this.#recorder = new Recorder(model.gpu.device);
  }

  /**
   * Compiles the kernels, or those of the first steps, and allocates everything that batches within `limits` need. The
   * K/V memory stays the caller's to dispose of.
   *
   * @throws {KvbenchError} If a kernel does not compile or a buffer is too large.
   */
  static async create(
    model: Gpt2,
    kv: RunnerKv,
    limits: BatchLimits,
    { sampled = true, firstSteps }: RunnerOptions = {},
  ): Promise<BatchRunner> {
    const { maxRows, maxOutputs } = limits;
    const range: StepRange = {
      ...ANY_STEP,
      rows: [1, maxRows],
      outputs: [1, maxOutputs],
      prefill: maxRows > 1,
      sampled,
    };
    const kernels = await model.stepKernels(kv.source, firstSteps ?? range);
    const { workspace, tables } = model.gpu.ledger.allOrNone(() => ({
      workspace: model.workspace(limits),
      tables: new StepTables(model.gpu, model.stepLayout, limits, STEPS_PER_SUBMISSION),
    }));
    return new BatchRunner(model, { kv, range, kernels }, tables, workspace);
  }

  /**
   * Compiles the kernels that the first steps did without; does nothing where there are none.
   *
   * @throws {KvbenchError} If one does not compile.
   */
  async ready(): Promise<void> {
    this.#access = accessOf(this.#kv, await this.#model.stepKernels(this.#kv.source, this.#range));
  }

  /** Dispatches recorded since the runner was made. */
  get dispatches(): number {
    return this.#recorder.dispatches;
  }

  /** Milliseconds that recording has taken on the host since the runner was made; submitting is not in it. */
  get encodeMs(): number {
    return this.#encodeMs;
  }

  /** Every sequence's ids: [maxSpans, nCtx] u32. */
  get tokens(): GPUBuffer {
    return this.#workspace.tokens.buffer;
  }

  /** Logits of the last batch: [nOutputs, V4 * 4] f32. */
  get logits(): GPUBuffer {
    return this.#workspace.results.logits.buffer;
  }

  /** Milliseconds that handing recorded steps to the GPU has taken on the host. */
  get submitMs(): number {
    return this.#submitMs;
  }

  /** Times every dispatch in a pass of its own from now on, or no longer. Call it between submissions. */
  timeDispatches(timer: DispatchTimer | undefined): void {
    this.#recorder.dispatchTimer = timer;
  }

  /** Times the pass of every submission from now on, or no longer. */
  timePasses(timestamps: Timestamps | undefined): void {
    this.#recorder.timestamps = timestamps;
  }

  /** Tells of every kernel before its first dispatch from now on, or no longer: the driver may compile it then. */
  watchFirstDispatches(onFirst: ((kernel: Kernel) => void) | undefined): void {
    this.#recorder.onFirstDispatch = onFirst;
  }

  /** Writes ids of a sequence from a position on. Steps that are recorded and not submitted will see them. */
  writeTokens(sequence: number, position: number, ids: readonly number[]): void {
    if (ids.length === 0) return;
    const at = (sequence * this.#model.config.nCtx + position) * 4;
    this.#model.gpu.device.queue.writeBuffer(this.tokens, at, Uint32Array.from(ids));
  }

  /** Says how tokens of sequences from `first` on are sampled. */
  writeSampling(first: number, samplings: readonly Sampling[]): void {
    const { sampling: { buffer } } = this.#workspace;
    this.#model.gpu.device.queue.writeBuffer(buffer, first * 16, packSampling(samplings));
  }

  /** Records one step; submits those before it where there is no room for more. */
  record(spans: readonly Span[], choice: Choice): void {
    if (this.#queued === STEPS_PER_SUBMISSION) this.submit();
    const start = performance.now();
    const batch = batchOf(spans);
    const offsets = this.#tables.set(this.#queued++, batch);
    if (this.#recorder.onFirstDispatch) this.#tables.upload(this.#queued); // it may be submitted at any kernel
    this.#recorder.share(this.#tables.group, offsets);
    this.#model.forward(this.#recorder, this.#workspace, batch, this.#access);
    if (choice !== "none" && batch.nOutputs > 0) {
      this.#model.choose(this.#recorder, this.#workspace, batch, this.#access, choice === "sampled");
    }
    this.#encodeMs += performance.now() - start;
  }

  /** Submits what is recorded. */
  submit(): void {
    const start = performance.now();
    if (this.#queued > 0) this.#tables.upload(this.#queued);
    this.#recorder.submit();
    this.#queued = 0;
    this.#submitMs += performance.now() - start;
  }

  /** Frees tables and activations. */
  dispose(): void {
    this.#tables.dispose();
    this.#workspace.dispose();
  }
}

function accessOf(kv: RunnerKv, kernels: KvAccess["kernels"]): KvAccess {
  return { kernels, bindGroups: (layer) => kv.bindGroups(layer) };
}
