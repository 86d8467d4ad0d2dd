/**
 * Bringing bytes back from the GPU. The copy is submitted and mapped at once, and the promise is awaited later,
 * so that the ~11 ms that Deno takes to resolve it can pass while the GPU works on.
 *
 * @module
 */
import { KvbenchError } from "../errors.ts";
import type { Gpu } from "./gpu.ts";
import type { LedgerTexels } from "./ledger.ts";
import { ROW_BYTES } from "./texels.ts";

/** Part of a buffer. */
export interface Piece {
  /** What to read. */
  readonly source: GPUBuffer;
  /** In bytes, a multiple of 4. */
  readonly offset: number;
  /** A multiple of 4. */
  readonly bytes: number;
}

/**
 * Reads part of a buffer that was written by earlier submissions.
 *
 * @param offset In bytes, a multiple of 4.
 * @param bytes A multiple of 4.
 * @throws {KvbenchError} If the device fails.
 */
export async function readBuffer(
  gpu: Gpu,
  source: GPUBuffer,
  offset: number,
  bytes: number,
): Promise<ArrayBuffer> {
  return await readPieces(gpu, [{ source, offset, bytes }]);
}

/**
 * Reads parts of buffers that were written by earlier submissions, one behind the other.
 *
 * @throws {KvbenchError} If the device fails.
 */
export async function readPieces(gpu: Gpu, pieces: readonly Piece[]): Promise<ArrayBuffer> {
  const total = pieces.reduce((sum, { bytes }) => sum + bytes, 0);
  const staging = gpu.ledger.createBuffer({
    label: "readback",
    category: "staging",
    bytes: total,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  try {
    const encoder = gpu.device.createCommandEncoder();
    let to = 0;
    for (const { source, offset, bytes } of pieces) {
      encoder.copyBufferToBuffer(source, offset, staging.buffer, to, bytes);
      to += bytes;
    }
    gpu.device.queue.submit([encoder.finish()]);
    // Deno panics where the range is asked for before the map has resolved.
    await staging.buffer.mapAsync(GPUMapMode.READ);
    gpu.assertHealthy();
    const copy = staging.buffer.getMappedRange(0, total).slice(0);
    staging.buffer.unmap();
    return copy;
  } catch (error) {
    if (error instanceof KvbenchError) throw error;
    return await gpu.fail(error as Error);
  } finally {
    staging.destroy();
  }
}

/**
 * Reads texels that were written by earlier submissions.
 *
 * @throws {KvbenchError} If the device fails.
 */
export async function readTexels(gpu: Gpu, { texture, bytes }: LedgerTexels): Promise<ArrayBuffer> {
  const copy = gpu.ledger.createBuffer({ label: "readback", category: "staging", bytes });
  try {
    const encoder = gpu.device.createCommandEncoder();
    const { width, height } = texture;
    encoder.copyTextureToBuffer({ texture }, { buffer: copy.buffer, bytesPerRow: ROW_BYTES }, [
      width,
      height,
    ]);
    gpu.device.queue.submit([encoder.finish()]);
    return await readBuffer(gpu, copy.buffer, 0, bytes);
  } finally {
    copy.destroy();
  }
}

/** Milliseconds from a few bytes on the GPU to the host: in Deno most of it is the runtime's sleep. Median of 5. */
export async function readbackMs(gpu: Gpu): Promise<number> {
  const probe = gpu.ledger.createBuffer({ label: "readback probe", category: "staging", bytes: 16 });
  try {
    const samples: number[] = [];
    for (let i = 0; i < 5; i++) {
      const start = performance.now();
      await readBuffer(gpu, probe.buffer, 0, 16);
      samples.push(performance.now() - start);
    }
    return samples.sort((a, b) => a - b)[2]!;
  } finally {
    probe.destroy();
  }
}
