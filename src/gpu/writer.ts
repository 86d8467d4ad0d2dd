/**
 * Writing much data to buffers and textures. WebGPU keeps a copy of what it was given until the queue is done with it,
 * and drivers put the copies among the buffers, where they leave holes: so it is given little at a time.
 *
 * @module
 */
import type { Gpu } from "./gpu.ts";
import type { LedgerVectors } from "./ledger.ts";
import { regionsOf } from "./texels.ts";

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

  /**
   * Writes `values` from `offset` bytes on. They may be changed afterwards.
   *
   * @param offset A multiple of 16 in texels, of which whole ones are written, otherwise of 4.
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

/** Hands `values` to the queue at once, to be written from `offset` bytes on. */
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
