/**
 * Writing much data to buffers. WebGPU keeps a copy of what it was given until the queue is done with it, and drivers
 * put the copies among the buffers, where they leave holes: so it is given little at a time.
 *
 * @module
 */
import type { Gpu } from "./gpu.ts";
import type { LedgerBuffer } from "./ledger.ts";

/** What the queue may hold copies of: 2 MiB. More leaves more holes, less takes more time. */
const PENDING_BYTES = 2 << 20;

/** Writes, and waits where the queue has enough to do. */
export class Writer {
  readonly #gpu: Gpu;
  #pendingBytes = 0;

  /** @param gpu Where to write. */
  constructor(gpu: Gpu) {
    this.#gpu = gpu;
  }

  /** Writes `values` to a buffer from `offset` bytes on. They may be changed afterwards. */
  async write(
    { buffer }: LedgerBuffer,
    offset: number,
    { buffer: memory, byteOffset, byteLength }: ArrayBufferView<ArrayBuffer>,
  ): Promise<void> {
    for (let done = 0; done < byteLength;) {
      const bytes = Math.min(byteLength - done, PENDING_BYTES - this.#pendingBytes);
      this.#gpu.device.queue.writeBuffer(buffer, offset + done, memory, byteOffset + done, bytes);
      done += bytes;
      this.#pendingBytes += bytes;
      if (this.#pendingBytes < PENDING_BYTES) continue;
      this.#gpu.device.queue.submit([]);
      await this.#gpu.fence.wait();
      this.#pendingBytes = 0;
    }
  }
}
