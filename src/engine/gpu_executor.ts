/**
 * Carries a scheduler's steps out on the GPU: keeps the pool that its memory hands slots out of, moves K and V as it
 * says, and runs its spans as mixed batches of prefill and decoding.
 *
 * @module
 */
import type { Dtype } from "../gpu/dtype.ts";
import { readPieces } from "../gpu/readback.ts";
import { SlotCopier, type SlotCopy } from "../kv/slot_copier.ts";
import { SlotPool } from "../kv/slot_pool.ts";
import type { Span } from "../model/batch.ts";
import type { Gpt2 } from "../model/gpt2.ts";
import { GREEDY, type Sampling } from "../model/sampling.ts";
import { BatchRunner } from "./batch_runner.ts";
import type { Executor } from "./scheduler/executor.ts";
import type { KvMemory, Move } from "./scheduler/kv_memory.ts";
import type { Request, Sequence } from "./scheduler/request.ts";
import type { Step, StepSpan } from "./scheduler/step.ts";

/** What an executor is sized for, and where it gets prompts from. */
export interface GpuExecutorOptions<R extends Request> {
  /** Sequences that have a slot at once at most. */
  readonly maxSequences: number;
  /** Tokens that a step computes at most. */
  readonly maxRows: number;
  /** How K and V are stored. */
  readonly kvDtype: Dtype;
  /** The prompt of a request. */
  promptOf(request: R): readonly number[];
  /** How a continuation's tokens are chosen; greedily where left out. */
  samplingOf?(request: R, index: number): Sampling;
  /** Called with the ids of a sequence that has all its tokens: the prompt's and the new ones. */
  onEnded?(sequence: Sequence, ids: number[]): void;
}

/** Consecutive tokens of a sequence's row in the table of ids. */
export interface TokenRange {
  /** Row: the sequence's slot. */
  readonly slot: number;
  /** First position. */
  readonly first: number;
  /** Tokens. */
  readonly count: number;
}

/** Runs steps on a model. */
export class GpuExecutor<R extends Request = Request> implements Executor<R> {
  readonly #model: Gpt2;
  readonly #memory: KvMemory;
  readonly #options: GpuExecutorOptions<R>;
  readonly #pool: SlotPool;
  readonly #copier: SlotCopier;
  readonly #runner: BatchRunner;
  /** By its number, what is swapped out. */
  readonly #host = new Map<number, Promise<ArrayBuffer>>();
  readonly #reads = new Set<Promise<void>>();
  readonly #sampledSlots = new Set<number>();
  #startMs = performance.now();

  private constructor(
    model: Gpt2,
    memory: KvMemory,
    options: GpuExecutorOptions<R>,
    parts: { readonly pool: SlotPool; readonly copier: SlotCopier; readonly runner: BatchRunner },
  ) {
    this.#model = model;
    this.#memory = memory;
    this.#options = options;
    this.#pool = parts.pool;
    this.#copier = parts.copier;
    this.#runner = parts.runner;
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
    const { gpu, config: { nLayer, nHead, nCtx }, dims: { a4 } } = model;
    const { maxSequences, maxRows, kvDtype } = options;
    const shape = { nLayer, nHead, a4, dtype: kvDtype, nCtx, nSequences: maxSequences };
    const pool = gpu.ledger.allOrNone(() =>
      new SlotPool(gpu, shape, {
        nSlots: memory.usage().capacity,
        layersKept: memory.keeps ? nLayer : 1,
        blockSize: memory.blockSize,
      })
    );
    try {
      const copier = await SlotCopier.create(gpu, pool);
      try {
        const limits = { maxRows, maxSpans: maxSequences, maxOutputs: maxSequences };
        const runner = await BatchRunner.create(model, pool, limits);
        return new GpuExecutor(model, memory, options, { pool, copier, runner });
      } catch (error) {
        copier.dispose();
        throw error;
      }
    } catch (error) {
      pool.dispose();
      throw error;
    }
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
    return this.#pool.allocatedBytes;
  }

  /** Sleeps. */
  async until(ms: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, ms - this.nowMs)));
  }

  /**
   * Carries a step out and waits for the GPU. Ids stay there: those of sequences that have all their tokens are
   * brought back in passing.
   *
   * @throws {KvbenchError} If the device has failed.
   */
  async run(step: Step<R>): Promise<void> {
    await this.enqueue(step);
    this.submit();
    await this.#model.gpu.fence.wait();
    this.#model.gpu.assertHealthy();
    const { onEnded } = this.#options;
    if (onEnded === undefined || step.ended.length === 0) return;
    const ended = [...step.ended];
    const read = this.read(ended.map(({ slot, nTokens }) => ({ slot, first: 0, count: nTokens })));
    this.#keep(read.then((ids) => ended.forEach((sequence, i) => onEnded(sequence, ids[i]!))));
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
        this.#runner.writeSampling(slot, [sampling]);
        if (sampling.temperature > 0) this.#sampledSlots.add(slot);
        else this.#sampledSlots.delete(slot);
      }
    }
    if (step.moves.length > 0) await this.#move(step.moves);
    if (step.spans.length === 0) return;
    for (const { sequence: { slot } } of step.spans) {
      this.#pool.place(slot, this.#memory.place(slot), () => this.submit());
    }
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
   * Reads ids that steps submitted so far have chosen; in the order of the ranges.
   *
   * @throws {KvbenchError} If the device fails.
   */
  async read(ranges: readonly TokenRange[]): Promise<number[][]> {
    const { nCtx } = this.#model.config;
    const pieces = ranges.map(({ slot, first, count }) => ({
      source: this.#runner.tokens,
      offset: (slot * nCtx + first) * 4,
      bytes: count * 4,
    }));
    const all = new Uint32Array(await readPieces(this.#model.gpu, pieces));
    let from = 0;
    return ranges.map(({ count }) => [...all.subarray(from, from += count)]);
  }

  /**
   * Reads logits of the step that was submitted last: [vocabSize] for each of these rows, which are its outputs in
   * order. Steps that are submitted after the call do not matter.
   *
   * @throws {KvbenchError} If the device fails.
   */
  async logits(rows: readonly number[]): Promise<Float32Array[]> {
    const { config: { vocabSize }, dims: { v4 } } = this.#model;
    const pieces = rows.map((row) => ({
      source: this.#runner.logits,
      offset: row * v4 * 16,
      bytes: v4 * 16,
    }));
    const all = new Float32Array(await readPieces(this.#model.gpu, pieces));
    return rows.map((_, i) => all.subarray(i * v4 * 4, i * v4 * 4 + vocabSize));
  }

  /**
   * Waits for all that is being read back.
   *
   * @throws {KvbenchError} If the device has failed.
   */
  async settle(): Promise<void> {
    await Promise.all([...this.#reads, ...this.#host.values()]);
  }

  /** Frees everything. {@linkcode GpuExecutor.settle} comes before it. */
  dispose(): void {
    this.#runner.dispose();
    this.#copier.dispose();
    this.#pool.dispose();
  }

  async #move(moves: readonly Move[]): Promise<void> {
    let copies: SlotCopy[] = [];
    const flush = () => {
      this.#copier.copy(copies);
      copies = [];
    };
    for (const move of moves) {
      switch (move.kind) {
        case "copy":
          copies.push(move);
          break;
        case "out": {
          flush();
          const saved = this.#pool.save(move.swapped.from);
          saved.catch(() => {}); // reported when it is swapped in, or at the end
          this.#host.set(move.swapped.id, saved);
          break;
        }
        case "in": {
          flush();
          this.#pool.load(move.to, await this.#host.get(move.swapped.id)!);
          this.#host.delete(move.swapped.id);
          break;
        }
        case "drop":
          this.#keep(this.#host.get(move.swapped.id)!.then(() => {}));
          this.#host.delete(move.swapped.id);
      }
    }
    flush();
  }

  /** Remembers something that is under way and must not outlive the buffers. */
  #keep(read: Promise<void>): void {
    const kept = read.finally(() => this.#reads.delete(kept));
    kept.catch(() => {}); // reported by settle()
    this.#reads.add(kept);
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
