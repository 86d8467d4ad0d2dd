/**
 * Batches over K/V memory that many sequences share: keeps the pool that a memory hands slots out of, moves K and V as
 * it says, and records steps whose spans name sequences by slot. What a step should compute is decided elsewhere.
 *
 * @module
 */
import type { Dtype } from "../formats/registry.ts";
import { readPieces } from "../gpu/readback.ts";
import { SlotCopier, type SlotCopy } from "../kv/slot_copier.ts";
import { SlotPool } from "../kv/slot_pool.ts";
import type { Span } from "../model/batch.ts";
import type { Gpt2 } from "../model/gpt2.ts";
import type { Sampling } from "../model/sampling.ts";
import { BatchRunner, type Choice } from "./batch_runner.ts";
import type { KvMemory, Move } from "./scheduler/kv_memory.ts";

/** What a runner is sized for. */
export interface SharedRunnerOptions {
  /** Sequences that have a slot at once at most. */
  readonly maxSequences: number;
  /** Tokens that a step computes at most. */
  readonly maxRows: number;
  /** How K and V are stored. */
  readonly kvDtype: Dtype;
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

/** Records steps of one model over one K/V memory. */
export class SharedRunner {
  readonly #model: Gpt2;
  readonly #memory: KvMemory;
  readonly #pool: SlotPool;
  readonly #copier: SlotCopier;
  readonly #runner: BatchRunner;
  /** By its number, what is swapped out. */
  readonly #host = new Map<number, Promise<ArrayBuffer>>();
  readonly #reads = new Set<Promise<unknown>>();
  #failure: { readonly error: unknown } | undefined;
  #copiedTokens = 0;

  private constructor(
    model: Gpt2,
    memory: KvMemory,
    parts: { readonly pool: SlotPool; readonly copier: SlotCopier; readonly runner: BatchRunner },
  ) {
    this.#model = model;
    this.#memory = memory;
    this.#pool = parts.pool;
    this.#copier = parts.copier;
    this.#runner = parts.runner;
  }

  /**
   * Compiles kernels and allocates the pool.
   *
   * @throws {KvbenchError} If a kernel does not compile or a buffer is too large.
   */
  static async create(
    model: Gpt2,
    memory: KvMemory,
    { maxSequences, maxRows, kvDtype }: SharedRunnerOptions,
  ): Promise<SharedRunner> {
    const { gpu, config: { nLayer, nHead, nCtx }, dims: { a4 } } = model;
    // Slots are copied and swapped out, which takes buffers.
    const shape = { nLayer, nHead, a4, dtype: kvDtype, nCtx, nSequences: maxSequences, texels: false };
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
        return new SharedRunner(model, memory, { pool, copier, runner });
      } catch (error) {
        copier.dispose();
        throw error;
      }
    } catch (error) {
      pool.dispose();
      throw error;
    }
  }

  /** Bytes of K and V on the GPU. */
  get kvBytes(): number {
    return this.#pool.allocatedBytes;
  }

  /** Bytes of K and V that were copied on the GPU, by forks and on writes to shared blocks. */
  get copiedBytes(): number {
    return this.#copiedTokens * this.#pool.slotBytes * this.#pool.layers.length;
  }

  /** Writes ids of a sequence from a position on; steps that are recorded and not submitted will see them. */
  writeTokens(slot: number, position: number, ids: readonly number[]): void {
    this.#runner.writeTokens(slot, position, ids);
  }

  /** Says how a sequence's tokens are chosen. */
  writeSampling(slot: number, sampling: Sampling): void {
    this.#runner.writeSampling(slot, [sampling]);
  }

  /** Moves K and V, in order; waits for nothing but host memory that is brought back. Submit recorded steps before. */
  async move(moves: readonly Move[]): Promise<void> {
    let copies: SlotCopy[] = [];
    const flush = () => {
      this.#copier.copy(copies);
      copies = [];
    };
    for (const move of moves) {
      switch (move.kind) {
        case "copy":
          copies.push(move);
          this.#copiedTokens += move.count;
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
          this.keep(this.#host.get(move.swapped.id)!);
          this.#host.delete(move.swapped.id);
      }
    }
    flush();
  }

  /** Records a step; its spans' sequences are slots, and their K and V are where the memory says now. */
  record(spans: readonly Span[], choice: Choice): void {
    for (const { sequence: slot } of spans) {
      this.#pool.place(slot, this.#memory.place(slot), () => this.submit());
    }
    this.#runner.record(spans, choice);
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
  async tokens(ranges: readonly TokenRange[]): Promise<number[][]> {
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

  /** Remembers a readback that is under way and must not outlive the buffers. */
  keep(read: Promise<unknown>): void {
    const kept = read.finally(() => this.#reads.delete(kept));
    kept.catch((error) => this.#failure ??= { error });
    this.#reads.add(kept);
  }

  /**
   * Reports what was kept and has failed by now.
   *
   * @throws {KvbenchError} The first failure.
   */
  assertKept(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /**
   * Waits for all that is being read back.
   *
   * @throws {KvbenchError} If the device has failed, or something that was kept.
   */
  async settle(): Promise<void> {
    // All of them, whether one fails or not: what reads has a buffer.
    const all = await Promise.allSettled([...this.#reads, ...this.#host.values()]);
    this.assertKept();
    for (const each of all) if (each.status === "rejected") throw each.reason;
  }

  /** Frees everything. {@linkcode SharedRunner.settle} comes before it. */
  dispose(): void {
    this.#runner.dispose();
    this.#copier.dispose();
    this.#pool.dispose();
  }
}
