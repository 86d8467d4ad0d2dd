/**
 * Readback of bytes from the GPU. The copy is submitted and mapped at once and the promise awaited later, so that the
 * ~11 ms that Deno takes to resolve it pass while the GPU works on.
 */
import { KvbenchError } from "../base/errors.ts";
import type { Gpu } from "./gpu.ts";
import type { LedgerTexels } from "./ledger.ts";

/** Alignment of a texture's rows in a copy. */
export const COPY_ROW_BYTES = 256;

interface Piece {
  readonly source: GPUBuffer;
  /** Offset in bytes, a multiple of 4. */
  readonly offset: number;
  /** Length, a multiple of 4. */
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
 * Reads parts of buffers that were written by earlier submissions, and joins them.
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
    // Deno panics if the range is asked for before the map has resolved.
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
 * Reads texture storage that was written by earlier submissions.
 *
 * @throws {KvbenchError} If the device fails.
 */
export async function readTexels(gpu: Gpu, { texture, bytes, rowBytes }: LedgerTexels): Promise<ArrayBuffer> {
  const { width, height } = texture;
  const bytesPerRow = Math.ceil(rowBytes / COPY_ROW_BYTES) * COPY_ROW_BYTES;
  const copy = gpu.ledger.createBuffer({
    label: "readback",
    category: "staging",
    bytes: height * bytesPerRow,
  });
  try {
    const encoder = gpu.device.createCommandEncoder();
    encoder.copyTextureToBuffer({ texture }, { buffer: copy.buffer, bytesPerRow }, [width, height]);
    gpu.device.queue.submit([encoder.finish()]);
    const rows = await readBuffer(gpu, copy.buffer, 0, copy.bytes);
    if (bytesPerRow === rowBytes) return rows;
    const dense = new Uint8Array(bytes);
    for (let y = 0; y < height; y++) dense.set(new Uint8Array(rows, y * bytesPerRow, rowBytes), y * rowBytes);
    return dense.buffer;
  } finally {
    copy.destroy();
  }
}

/** Measures a readback of a few bytes, in ms: the median of 5. In Deno most of it is the runtime's sleep. */
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
