/**
 * Bringing bytes back from the GPU. The copy is submitted and mapped at once, and the promise is awaited later,
 * so that the ~11 ms that Deno takes to resolve it can pass while the GPU works on.
 *
 * @module
 */
import type { Gpu } from "./gpu.ts";

/**
 * Reads part of a buffer that was written by earlier submissions.
 *
 * @param offset In bytes, a multiple of 4.
 * @param bytes A multiple of 4.
 * @throws {KvbenchError} If the device has reported an error by then.
 */
export async function readBuffer(
  gpu: Gpu,
  source: GPUBuffer,
  offset: number,
  bytes: number,
): Promise<ArrayBuffer> {
  const staging = gpu.ledger.createBuffer({
    label: "readback",
    category: "staging",
    bytes,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  try {
    const encoder = gpu.device.createCommandEncoder();
    encoder.copyBufferToBuffer(source, offset, staging.buffer, 0, bytes);
    gpu.device.queue.submit([encoder.finish()]);
    const mapped = staging.buffer.mapAsync(GPUMapMode.READ).then(() => undefined, (error: Error) => error);
    const failure = await mapped;
    gpu.assertHealthy();
    if (failure) throw failure;
    const copy = staging.buffer.getMappedRange(0, bytes).slice(0);
    staging.buffer.unmap();
    return copy;
  } finally {
    staging.destroy();
  }
}
