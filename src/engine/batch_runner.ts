/**
 * Recording batches one after another: many steps go into one submission, each with tables of its own, and what a step
 * chooses is read by the next one on the GPU. Owns the step tables, the activations and the recorder; knows neither
 * requests nor where K and V are.
 *
 * @module
 */
import type { DispatchTimer } from "../gpu/dispatch_timer.ts";
import { Recorder } from "../gpu/recorder.ts";
import type { Timestamps } from "../gpu/timestamps.ts";
import type { KvGroups, KvSource } from "../kv/strategy.ts";
import { type BatchLimits, batchOf, type Span } from "../model/batch.ts";
import type { Gpt2, KvAccess } from "../model/gpt2.ts";
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

/** Records batches of one model and one K/V memory. */
export class BatchRunner {
  readonly #model: Gpt2;
  readonly #kv: KvAccess;
  readonly #tables: StepTables;
  readonly #workspace: Workspace;
  readonly #recorder: Recorder;
  #queued = 0;
  #encodeMs = 0;
  #submitMs = 0;

  private constructor(model: Gpt2, kv: KvAccess, tables: StepTables, workspace: Workspace) {
    this.#model = model;
    this.#kv = kv;
    this.#tables = tables;
    this.#workspace = workspace;
    this.#recorder = new Recorder(model.gpu.device);
  }

  /**
   * Compiles the kernels that touch K and V and allocates everything that batches within `limits` need. The K/V
   * memory stays the caller's to dispose of.
   *
   * @throws {KvbenchError} If a kernel does not compile or a buffer is too large.
   */
  static async create(model: Gpt2, kv: RunnerKv, limits: BatchLimits): Promise<BatchRunner> {
    const kernels = await model.kvKernels(kv.source);
    const { workspace, tables } = model.gpu.ledger.allOrNone(() => ({
      workspace: model.workspace(limits),
      tables: new StepTables(model.gpu, model.stepLayout, limits, STEPS_PER_SUBMISSION),
    }));
    return new BatchRunner(
      model,
      { kernels, bindGroups: (layer) => kv.bindGroups(layer) },
      tables,
      workspace,
    );
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
    this.#recorder.share(this.#tables.group, offsets);
    this.#model.forward(this.#recorder, this.#workspace, batch, this.#kv);
    if (choice !== "none" && batch.nOutputs > 0) {
      this.#model.choose(this.#recorder, this.#workspace, batch, choice === "sampled");
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
