/**
 * Writes of much data to buffers and textures. WebGPU keeps a copy of the data until the queue is done with it, and drivers
 * allocate the copies among the buffers, where they leave holes; so the data is written in small parts.
 */
import type { Gpu } from "./gpu.ts";
import type { LedgerVectors } from "./ledger.ts";
import { regionsOf } from "./texels.ts";

/** Most bytes of pending copies: more leave more holes, fewer take more time. */
const PENDING_BYTES = 2 << 20;

/** A writer that waits while too many copies are pending. */
export class Writer {
  readonly #gpu: Gpu;
  #pendingBytes = 0;

  /** @param gpu The GPU to write to. */
  constructor(gpu: Gpu) {
    this.#gpu = gpu;
  }

  /**
   * Writes values from `offset` bytes on. The caller may change them afterwards.
   *
   * @param offset Multiple of 16 in texture storage, which takes whole texels, and of 4 in buffers.
   */
  async write(
    target: LedgerVectors,
    offset: number,
    { buffer: memory, byteOffset, byteLength }: ArrayBufferView<ArrayBuffer>,
  ): Promise<void> {
    for (let done = 0; done < byteLength;) {
      const bytes = Math.min(byteLength - done, PENDING_BYTES - this.#pendingBytes);
      writeVectors(
        this.#gpu.device.queue,
        target,
        offset + done,
        new Uint8Array(memory, byteOffset + done, bytes),
      );
      done += bytes;
      this.#pendingBytes += bytes;
      if (this.#pendingBytes < PENDING_BYTES) continue;
      this.#gpu.device.queue.submit([]);
      await this.#gpu.fence.wait();
      this.#pendingBytes = 0;
    }
  }
}

/** Queues a write of values from `offset` bytes on. */
export function writeVectors(
  queue: GPUQueue,
  target: LedgerVectors,
  offset: number,
  { buffer: memory, byteOffset, byteLength }: ArrayBufferView<ArrayBuffer>,
): void {
  if ("buffer" in target) {
    queue.writeBuffer(target.buffer, offset, memory, byteOffset, byteLength);
    return;
  }
  for (const { x, y, width, height, from } of regionsOf(offset, byteLength, target.rowBytes)) {
    const layout = { offset: byteOffset + from, bytesPerRow: target.rowBytes };
    queue.writeTexture({ texture: target.texture, origin: [x, y] }, memory, layout, [width, height]);
  }
}
