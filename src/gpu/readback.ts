/**
 * Readback of bytes from the GPU. The copy is submitted and mapped at once and the promise awaited later, so that the
 * ~11 ms that Deno may take to resolve it pass while the GPU works on.
 */
import type { Gpu } from "./gpu.ts";
import type { LedgerTexels } from "./ledger.ts";
import { StagingBuffer } from "./staging.ts";

/** Alignment of a texture's rows in a copy. */
export const COPY_ROW_BYTES = 256;
/** Bytes of a readback that is measured. */
const PROBE_BYTES = 16;

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
  return await new Readback(gpu, 0).read(pieces);
}

/** Readbacks of one reader. Where the runtime can read at once, small ones go through a buffer that is kept. */
export class Readback {
  readonly #gpu: Gpu;
  readonly #mostBytes: number;
  #kept: StagingBuffer | undefined;
  #isBusy = false;

  /** @param mostBytes Bytes of a small one at most: those of the buffer that is kept. */
  constructor(gpu: Gpu, mostBytes: number) {
    this.#gpu = gpu;
    this.#mostBytes = mostBytes;
  }

  /**
   * Reads parts of buffers that were written by earlier submissions, and joins them.
   *
   * @throws {KvbenchError} If the device fails.
   */
  async read(pieces: readonly Piece[]): Promise<ArrayBuffer> {
    const { device, mapsAtOnce } = this.#gpu;
    const total = pieces.reduce((sum, { bytes }) => sum + bytes, 0);
    const keeps = mapsAtOnce && !this.#isBusy && total <= this.#mostBytes;
    const staging = keeps
      ? this.#kept ??= new StagingBuffer(this.#gpu, "readback", this.#mostBytes)
      : new StagingBuffer(this.#gpu, "readback", total);
    if (keeps) this.#isBusy = true;
    try {
      const encoder = device.createCommandEncoder();
      let to = 0;
      for (const { source, offset, bytes } of pieces) {
        encoder.copyBufferToBuffer(source, offset, staging.buffer, to, bytes);
        to += bytes;
      }
      device.queue.submit([encoder.finish()]);
      return await staging.read(total, (range) => range.slice(0));
    } finally {
      if (keeps) this.#isBusy = false;
      else staging.destroy();
    }
  }

  /** Frees the buffer that is kept. No readback may be under way. */
  dispose(): void {
    this.#kept?.destroy();
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

/** Measures a readback of a few bytes, in ms: the median of 5. Where each is awaited, most of it is the runtime's sleep. */
export async function readbackMs(gpu: Gpu): Promise<number> {
  const source = gpu.ledger.createBuffer({
    label: "readback probe",
    category: "staging",
    bytes: PROBE_BYTES,
  });
  const readback = new Readback(gpu, PROBE_BYTES);
  const piece = { source: source.buffer, offset: 0, bytes: PROBE_BYTES };
  try {
    await readback.read([piece]); // the first one is awaited in any case
    const samples: number[] = [];
    for (let i = 0; i < 5; i++) {
      const start = performance.now();
      await readback.read([piece]);
      samples.push(performance.now() - start);
    }
    return samples.sort((a, b) => a - b)[2]!;
  } finally {
    readback.dispose();
    source.destroy();
  }
}
