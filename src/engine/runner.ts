/**
 * Steps of one model over one K/V memory: many steps go into one submission, each with tables of its own, and what a
 * step chooses is read by the next one on the GPU. Owns the step tables, the activations, the recorder and the K/V pool;
 * a sequence is known by its number. What a step should compute is decided elsewhere.
 */
import { KvbenchError, UsageError } from "../base/errors.ts";
import { assertHeadFits, type KvDtype } from "../formats/kv_dtype.ts";
import { DEFAULT_DTYPE } from "../formats/registry.ts";
import { Readback } from "../gpu/readback.ts";
import { Recorder } from "../gpu/recorder.ts";
import type { KvAround } from "../kv/around.ts";
import type { KvPolicy } from "../kv/policy.ts";
import { KvPool } from "../kv/pool.ts";
import type { KvSource } from "../kv/source.ts";
import type { Kv } from "../kv/strategy_def.ts";
import { type BatchLimits, batchOf, type Span } from "../model/batch.ts";
import { ANY_STEP, type KvAccess, type Model } from "../model/model.ts";
import type { StepRange } from "../model/kernels.ts";
import { packSampling, type Sampling } from "../model/sampling.ts";
import { StepTables } from "../model/step_tables.ts";
import type { Workspace } from "../model/workspace.ts";
import { PendingReads } from "./pending_reads.ts";
import type { Steps } from "./steps.ts";

/** Steps that are recorded into one submission at most. */
export const STEPS_PER_SUBMISSION = 16;

/** Sizes of a runner. */
export interface RunnerOptions {
  /** Sequences that are open at once at most. */
  readonly maxSequences: number;
  /** Tokens that a step computes at most. */
  readonly maxRows: number;
  /** Rows of logits of one step. Default: one per sequence. */
  readonly maxOutputs?: number;
  /** Storage types of K and V. Default: f32. */
  readonly kvDtype?: KvDtype;
  /** True if sequences are forked, share blocks or are swapped out, which takes buffers in place of textures. */
  readonly movesSlots: boolean;
  /** True if tokens may be sampled. Default: true. */
  readonly sampled?: boolean;
  /** The steps that come before {@link Runner.ready} is called. Default: every step. */
  readonly firstSteps?: StepRange;
}

/** The choice of each output's next token: none, the likeliest, or as its sequence's sampling says. */
export type Choice = "none" | "greedy" | "sampled";

/** Consecutive tokens of a sequence's row in the table of ids. */
interface TokenRange {
  /** Row: the sequence's number. */
  readonly sequence: number;
  readonly first: number;
  readonly count: number;
}

/** A sequence that is to be computed up to its end. */
interface Target {
  readonly sequence: number;
  /** Its tokens in all. */
  readonly length: number;
  /** The last tokens that get logits. */
  readonly outputs: number;
}

/** The strategy's part in kernels: what is recorded before K and V are stored comes before a dispatch of its own. */
function storedBy({ source }: KvPool, around: KvAround | undefined): KvSource {
  return around?.before ? { ...source, inPassing: false } : source;
}

/** Bytes of the buffers that readbacks of a step's ids and of its logits share. */
interface ReadbackBytes {
  readonly ids: number;
  readonly logits: number;
}

/** Computes the bytes of readbacks of a step. */
export function readbackBytes(
  v4: number,
  limits: Pick<BatchLimits, "maxSpans" | "maxOutputs">,
): ReadbackBytes {
  return { ids: 4 * limits.maxSpans, logits: 16 * v4 * limits.maxOutputs };
}

/** Records, submits and reads. */
export class Runner {
  /** The K/V memory's host side. */
  readonly policy: KvPolicy;
  /** The K/V memory's GPU side. */
  readonly pool: KvPool;
  /** The strategy's operators around attention, where it has some. */
  readonly around: KvAround | undefined;
  /** Takes the dispatches; counts and times them. */
  readonly recorder: Recorder;
  /** Readbacks that are under way. */
  readonly reads: PendingReads = new PendingReads();
  /** Milliseconds that recording has taken on the host since the runner was made; submitting is not in it. */
  encodeMs = 0;
  /** Milliseconds that handing recorded steps to the GPU has taken on the host. */
  submitMs = 0;
  readonly #model: Model;
  readonly #range: StepRange;
  #kv: KvAccess;
  #tables: StepTables;
  #workspace: Workspace;
  readonly #limits: BatchLimits;
  readonly #ids: Readback;
  readonly #logits: Readback;
  #queued = 0;

  private constructor(
    model: Model,
    policy: KvPolicy,
    parts: {
      readonly pool: KvPool;
      readonly kv: KvAccess;
      readonly range: StepRange;
      readonly tables: StepTables;
      readonly workspace: Workspace;
      readonly limits: BatchLimits;
    },
  ) {
    this.#model = model;
    this.policy = policy;
    this.pool = parts.pool;
    this.#kv = parts.kv;
    this.around = parts.kv.around;
    this.#range = parts.range;
    this.#tables = parts.tables;
    this.#workspace = parts.workspace;
    this.#limits = parts.limits;
    this.recorder = new Recorder(model.gpu.device);
    const { ids, logits } = readbackBytes(model.dims.v4, parts.limits);
    this.#ids = new Readback(model.gpu, ids);
    this.#logits = new Readback(model.gpu, logits);
  }

  /**
   * Compiles the kernels, or those of the first steps, and allocates everything that the steps need.
   *
   * @throws {UsageError} If K or V has a type that the model's heads do not fit.
   * @throws {KvbenchError} If a kernel does not compile or a buffer is too large.
   */
  static async create(
    model: Model,
    { policy, addressing, around: own }: Kv,
    options: RunnerOptions,
  ): Promise<Runner> {
    const { gpu, config: { nHead, nEmbd }, dims: { a4 }, tuning: { texels } } = model;
    const { maxSequences, maxRows, maxOutputs = maxSequences, kvDtype = DEFAULT_DTYPE } = options;
    assertHeadFits(kvDtype, nEmbd / nHead);
    const shape = { nHead, a4, dtype: kvDtype, nSequences: maxSequences, texels };
    const pool = await KvPool.create(gpu, {
      shape,
      addressing,
      nSlots: policy.nSlots,
      // A scratch that is computed anew with every step is never copied or swapped.
      movesSlots: options.movesSlots && policy.traits.keeps !== "nothing",
    });
    let around: KvAround | undefined;
    try {
      around = await own?.create({ ...model.kvModel, policy, shape, pool });
      const range: StepRange = {
        ...ANY_STEP,
        rows: [1, maxRows],
        outputs: [1, maxOutputs],
        prefill: maxRows > 1,
        sampled: options.sampled ?? true,
      };
      const source = storedBy(pool, around);
      const kernels = await model.stepKernels(source, options.firstSteps ?? range);
      const limits = { maxRows, maxSpans: maxSequences, maxOutputs };
      const { workspace, tables } = gpu.ledger.allOrNone(() => ({
        workspace: model.workspace(limits, pool.source),
        tables: new StepTables(gpu, model.stepLayout, limits, STEPS_PER_SUBMISSION),
      }));
      const kv = {
        kernels,
        entries: (length: number, sequence: number) => policy.entries(length, sequence),
        bindGroups: (layer: number) => around?.bindGroups?.(layer) ?? pool.bindGroups(layer),
        around,
      };
      return new Runner(model, policy, { pool, kv, range, tables, workspace, limits });
    } catch (error) {
      around?.dispose();
      pool.dispose();
      throw error;
    }
  }

  /**
   * Compiles the kernels that the first steps did without; does nothing where there are none.
   *
   * @throws {KvbenchError} If one does not compile.
   */
  async ready(): Promise<void> {
    const source = storedBy(this.pool, this.around);
    this.#kv = { ...this.#kv, kernels: await this.#model.stepKernels(source, this.#range) };
  }

  /**
   * Makes activations, tables and bind groups anew, for one step of so many rows, as a loop does that keeps nothing but K
   * and V between its steps. Ids and sampling are to be written again; nothing may be recorded or under way.
   *
   * @throws {KvbenchError} If a buffer is too large.
   */
  renew(maxRows: number): void {
    const { gpu, stepLayout } = this.#model, limits = { ...this.#limits, maxRows };
    this.#tables.dispose();
    this.#workspace.dispose();
    gpu.ledger.allOrNone(() => {
      this.#workspace = this.#model.workspace(limits, this.pool.source);
      this.#tables = new StepTables(gpu, stepLayout, limits, 1);
    });
    this.pool.rebind();
  }

  /** Rows up to which QKV's product stores K and V. */
  get storedRows(): number {
    return this.#kv.kernels.storedRows;
  }

  /** Rows up to which the projection joins the splits of attention. */
  get joinedRows(): number {
    return this.#kv.kernels.joinedRows;
  }

  /** Bytes of K and V on the GPU: the pool's, and those of operators around attention. */
  get kvBytes(): number {
    return this.pool.allocatedBytes + (this.around?.kvBytes ?? 0);
  }

  /** Writes ids of a sequence from a position on. Steps that are recorded and not submitted will see them. */
  writeTokens(sequence: number, position: number, ids: readonly number[]): void {
    if (ids.length === 0) return;
    const { gpu, config: { nCtx } } = this.#model;
    const at = (sequence * nCtx + position) * 4;
    gpu.device.queue.writeBuffer(this.#workspace.tokens.buffer, at, Uint32Array.from(ids));
  }

  /** Writes how tokens of the sequences from number `first` on are sampled. */
  writeSampling(first: number, samplings: readonly Sampling[]): void {
    const { sampling: { buffer } } = this.#workspace;
    this.#model.gpu.device.queue.writeBuffer(buffer, first * 16, packSampling(samplings));
  }

  /**
   * Makes room for sequences up to their ends and records what has not been computed of them: one step, or several where
   * the policy bounds a step's tokens. Yields what the next step has to wait for, where it has to.
   *
   * @throws {KvbenchError} If there is no room.
   * @throws {UsageError} If more logits of a sequence are asked for than a step computes.
   */
  *compute(targets: readonly Target[], choice: Choice): Steps {
    const { maxChunk } = this.policy;
    for (const { outputs } of targets) {
      if (outputs <= maxChunk) continue;
      throw new UsageError(`Logits of ${outputs} tokens are asked for: a step computes at most ${maxChunk}`);
    }
    let left = targets.map((target) => ({ ...target, first: this.policy.firstToCompute(target.sequence) }));
    while (left.some(({ first, length }) => length - first > maxChunk)) {
      const chunks = left.map(({ sequence, first, length, outputs }) => (
        {
          sequence,
          first,
          count: Math.max(0, Math.min(maxChunk, length - outputs - first)),
          outputs: 0,
        }
      ));
      yield* this.#extend(chunks, "none");
      left = left.map((target, i) => ({ ...target, first: target.first + chunks[i]!.count }));
    }
    yield* this.#extend(
      left.map(({ sequence, first, length, outputs }) => ({
        sequence,
        first,
        count: length - first,
        outputs,
      })),
      choice,
    );
  }

  *#extend(spans: readonly Span[], choice: Choice): Steps {
    const waiting = this.around?.ready?.();
    if (waiting) yield waiting;
    for (const { sequence, first, count } of spans) {
      if (this.policy.grow(sequence, first + count)) continue;
      throw new KvbenchError(this.policy.shortage(sequence, first + count));
    }
    const moves = this.policy.takeMoves();
    if (moves.length > 0) {
      this.submit();
      this.pool.moveNow(moves);
    }
    this.record(spans.filter(({ count }) => count > 0), choice);
  }

  /** Records one step; its spans' sequences have room. Submits those before it where tables are full. */
  record(spans: readonly Span[], choice: Choice): void {
    for (const { sequence } of spans) {
      this.pool.place(sequence, this.policy.place(sequence), () => this.submit());
    }
    if (this.#queued === this.#tables.nSteps) this.submit();
    const start = performance.now();
    const batch = batchOf(spans, this.#kv.entries);
    const offsets = this.#tables.set(this.#queued++, batch);
    // It may be submitted at any kernel.
    if (this.recorder.onFirstDispatch || this.around?.submitsWithin) this.#tables.upload(this.#queued);
    this.recorder.share(this.#tables.group, offsets);
    this.around?.begin?.(batch);
    this.#model.forward(this.recorder, this.#workspace, batch, this.#kv);
    if (choice !== "none" && batch.nOutputs > 0) {
      this.#model.choose(this.recorder, this.#workspace, batch, this.#kv, choice === "sampled");
    }
    this.encodeMs += performance.now() - start;
    this.around?.end?.(batch, () => this.submit());
  }

  /** Submits what is recorded. */
  submit(): void {
    const start = performance.now();
    if (this.#queued > 0) this.#tables.upload(this.#queued);
    this.recorder.submit();
    this.#queued = 0;
    this.submitMs += performance.now() - start;
  }

  /**
   * Reads ids that steps submitted so far have chosen; in the order of the ranges. An id is `NOT_FINITE` where logits
   * are infinite or NaN.
   *
   * @throws {KvbenchError} If the device fails.
   */
  tokens(ranges: readonly TokenRange[]): Promise<number[][]> {
    return this.reads.keep(this.#readTokens(ranges));
  }

  async #readTokens(ranges: readonly TokenRange[]): Promise<number[][]> {
    const { nCtx } = this.#model.config;
    const pieces = ranges.map(({ sequence, first, count }) => ({
      source: this.#workspace.tokens.buffer,
      offset: (sequence * nCtx + first) * 4,
      bytes: count * 4,
    }));
    const all = new Uint32Array(await this.#ids.read(pieces));
    let from = 0;
    return ranges.map(({ count }) => [...all.subarray(from, from += count)]);
  }

  /**
   * Reads logits of the step that was submitted last: [vocabSize] for each of these rows, which are its outputs in
   * order. Steps that are submitted after the call do not matter.
   *
   * @throws {KvbenchError} If the device fails.
   */
  logits(rows: readonly number[]): Promise<Float32Array[]> {
    return this.reads.keep(this.#readLogits(rows));
  }

  async #readLogits(rows: readonly number[]): Promise<Float32Array[]> {
    const { config: { vocabSize }, dims: { v4 } } = this.#model;
    const pieces = rows.map((row) => ({
      source: this.#workspace.results.logits.buffer,
      offset: row * v4 * 16,
      bytes: v4 * 16,
    }));
    const all = new Float32Array(await this.#logits.read(pieces));
    return rows.map((_, i) => all.subarray(i * v4 * 4, i * v4 * 4 + vocabSize));
  }

  /**
   * Waits for all that is being read back.
   *
   * @throws {KvbenchError} If the device has failed, or a readback.
   */
  async settle(): Promise<void> {
    await this.reads.settle(this.pool.settle());
  }

  /** Frees everything. {@linkcode Runner.settle} comes before it. */
  dispose(): void {
    this.#ids.dispose();
    this.#logits.dispose();
    this.#tables.dispose();
    this.#workspace.dispose();
    this.around?.dispose();
    this.pool.dispose();
  }
}
