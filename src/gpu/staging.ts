/**
 * Buffers through which bytes come back to the host. In Deno a call of `mapAsync()` returns when the GPU is done, and its
 * promise resolves about 11 ms later (a sleep of the runtime), but the bytes can be read at once. Deno panics where a
 * buffer that was never mapped is read so: the first mapping of each is awaited.
 */
import { KvbenchError } from "../base/errors.ts";
import type { Gpu } from "./gpu.ts";
import type { LedgerBuffer } from "./ledger.ts";

/** A buffer that copies go to, one readback after another. */
export class StagingBuffer {
  readonly #gpu: Gpu;
  readonly #buffer: LedgerBuffer;
  #wasMapped = false;

  /** Creates it, of a multiple of 4 bytes. */
  constructor(gpu: Gpu, label: string, bytes: number) {
    this.#gpu = gpu;
    this.#buffer = gpu.ledger.createBuffer({
      label,
      category: "staging",
      bytes,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
  }

  /** The copies' target. */
  get buffer(): GPUBuffer {
    return this.#buffer.buffer;
  }

  /**
   * Waits for the copies that were submitted, and reads.
   *
   * @param bytes Bytes from the start on.
   * @param use Reads them, before it returns.
   * @throws {KvbenchError} If the device fails.
   */
  async read<T>(bytes: number, use: (range: ArrayBuffer) => T): Promise<T> {
    const { buffer } = this;
    try {
      const mapped = buffer.mapAsync(GPUMapMode.READ, 0, bytes);
      let range = this.#atOnce(mapped, bytes);
      if (range === undefined) {
        await mapped;
        range = buffer.getMappedRange(0, bytes);
        this.#wasMapped = true;
      }
      this.#gpu.assertHealthy();
      const result = use(range);
      buffer.unmap();
      return result;
    } catch (error) {
      if (error instanceof KvbenchError) throw error;
      return await this.#gpu.fail(error as Error);
    }
  }

  /** Returns the range if the runtime has mapped it by now. */
  #atOnce(mapped: Promise<unknown>, bytes: number): ArrayBuffer | undefined {
    if (!this.#wasMapped || !this.#gpu.mapsAtOnce) return undefined;
    mapped.catch(() => {}); // a lost device: the range can't be had either
    try {
      return this.buffer.getMappedRange(0, bytes);
    } catch {
      return undefined; // the promise says why
    }
  }

  /** Frees the buffer. */
  destroy(): void {
    this.#buffer.destroy();
  }
}
