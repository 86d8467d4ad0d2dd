/**
 * GPU time of compute passes, from timestamp queries. They need the feature `timestamp-query`; callers report times as
 * unavailable without it.
 */
import type { Gpu } from "./gpu.ts";
import type { LedgerBuffer } from "./ledger.ts";
import { readBuffer } from "./readback.ts";

/** Most passes between two reads: WebGPU allows 4096 queries in a set. */
export const MAX_PASSES = 2048;

/** Start and duration of a pass. */
interface PassTime {
  /** Start, in ms after the start of the first pass of the same read. */
  readonly beginMs: number;
  /** Duration, in ms. */
  readonly ms: number;
}

/** Timestamp queries of passes, in the order of their recording. */
export class Timestamps {
  readonly #gpu: Gpu;
  readonly #queries: GPUQuerySet;
  readonly #resolved: LedgerBuffer; // [2 * maxPasses] u64 nanoseconds
  readonly #maxPasses: number;
  #passes = 0;

  private constructor(gpu: Gpu, maxPasses: number) {
    this.#gpu = gpu;
    this.#maxPasses = Math.min(maxPasses, MAX_PASSES);
    this.#queries = gpu.device.createQuerySet({ type: "timestamp", count: 2 * this.#maxPasses });
    this.#resolved = gpu.ledger.createBuffer({
      label: "timestamps",
      category: "staging",
      bytes: 16 * this.#maxPasses,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    });
  }

  /** Makes queries for up to `maxPasses` passes (at most {@link MAX_PASSES}); undefined without the feature. */
  static create(gpu: Gpu, maxPasses: number): Timestamps | undefined {
    return gpu.device.features.has("timestamp-query") ? new Timestamps(gpu, maxPasses) : undefined;
  }

  /** Returns the queries for the next pass; undefined if all are taken. */
  next(): GPUComputePassTimestampWrites | undefined {
    if (this.#passes === this.#maxPasses) return undefined;
    const begin = 2 * this.#passes++;
    return { querySet: this.#queries, beginningOfPassWriteIndex: begin, endOfPassWriteIndex: begin + 1 };
  }

  /**
   * Reads the durations of the passes submitted since the last read, in ms.
   *
   * @throws {KvbenchError} If the device fails.
   */
  async readMs(): Promise<number[]> {
    return (await this.read()).map(({ ms }) => ms);
  }

  /**
   * Reads the times of the passes submitted since the last read.
   *
   * @throws {KvbenchError} If the device fails.
   */
  async read(): Promise<PassTime[]> {
    if (this.#passes === 0) return [];
    const encoder = this.#gpu.device.createCommandEncoder();
    encoder.resolveQuerySet(this.#queries, 0, 2 * this.#passes, this.#resolved.buffer, 0);
    this.#gpu.device.queue.submit([encoder.finish()]);
    const times = new BigUint64Array(
      await readBuffer(this.#gpu, this.#resolved.buffer, 0, 16 * this.#passes),
    );
    const passes = Array.from({ length: this.#passes }, (_, i) => ({
      beginMs: Number(times[2 * i]! - times[0]!) / 1e6,
      ms: Number(times[2 * i + 1]! - times[2 * i]!) / 1e6,
    }));
    this.#passes = 0;
    return passes;
  }

  dispose(): void {
    this.#queries.destroy();
    this.#resolved.destroy();
  }
}
