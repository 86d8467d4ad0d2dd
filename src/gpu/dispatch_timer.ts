/**
 * GPU time of single dispatches, each in a pass of its own with timestamp queries. That costs more than the dispatch, so
 * it is for profiling runs alone.
 */
import { KvbenchError } from "../base/errors.ts";
import type { Gpu } from "./gpu.ts";
import type { Kernel } from "./kernel.ts";
import type { Walk } from "./walk.ts";
import { MAX_PASSES, Timestamps } from "./timestamps.ts";

export interface DispatchTime {
  /** Label of the kernel. */
  readonly label: string;
  /** Name of the kernel. */
  readonly kernel: string;
  /** Grid, in workgroups. */
  readonly workgroups: readonly [x: number, y: number, z: number];
  /** The way of its lanes, where its plan tells it. */
  readonly walk: Walk | undefined;
  /** Start, in ms after the start of the first dispatch that was read with it. */
  readonly beginMs: number;
  readonly ms: number;
}

/** Times dispatches in the order in which they are recorded. */
export class DispatchTimer {
  readonly #timestamps: Timestamps;
  #recorded: Omit<DispatchTime, "beginMs" | "ms">[] = [];

  /**
   * Allocates the queries.
   *
   * @throws {KvbenchError} If the device has no timestamps.
   */
  constructor(gpu: Gpu) {
    const timestamps = Timestamps.create(gpu, MAX_PASSES);
    if (!timestamps) {
      throw new KvbenchError(
        `Kernel times are unavailable: the adapter "${gpu.facts.description}" has no timestamp-query, which ` +
          "profiling needs. bench measures without it",
      );
    }
    this.#timestamps = timestamps;
  }

  /**
   * Returns the timestamp queries for the pass of the next dispatch.
   *
   * @throws {KvbenchError} If more dispatches are recorded at once than can be timed.
   */
  next(kernel: Kernel, workgroups: DispatchTime["workgroups"]): GPUComputePassTimestampWrites {
    const writes = this.#timestamps.next();
    if (!writes) {
      throw new KvbenchError(
        `More than ${MAX_PASSES} dispatches are recorded: expected at most as many between two reads`,
      );
    }
    this.#recorded.push({ label: kernel.label, kernel: kernel.name, workgroups, walk: kernel.walk });
    return writes;
  }

  /**
   * Reads the times of the dispatches submitted since the last read.
   *
   * @throws {KvbenchError} If the device fails.
   */
  async read(): Promise<DispatchTime[]> {
    const passes = await this.#timestamps.read();
    const times = this.#recorded.map((dispatch, i) => ({ ...dispatch, ...passes[i]! }));
    this.#recorded = [];
    return times;
  }

  dispose(): void {
    this.#timestamps.dispose();
  }
}
