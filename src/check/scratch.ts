/**
 * What checking a kernel takes: buffers that are poisoned before it runs and freed together, compilation with the
 * model's layouts, and a dispatch with the tables of a batch.
 *
 * @module
 */
import type { Gpu } from "../gpu/gpu.ts";
import { createKernel, type Kernel, type KernelSpec } from "../gpu/kernel.ts";
import { type LedgerBuffer, STORAGE } from "../gpu/ledger.ts";
import { readBuffer } from "../gpu/readback.ts";
import { Recorder } from "../gpu/recorder.ts";
import type { Batch } from "../model/batch.ts";
import { createLayouts, type Layouts } from "../model/kernels.ts";
import { StepTables } from "../model/step_tables.ts";

/** Buffers of one check, freed together. */
export class Scratch {
  /** Where they are allocated. */
  readonly gpu: Gpu;
  readonly #buffers: LedgerBuffer[] = [];

  /** @param gpu The GPU to allocate on. */
  constructor(gpu: Gpu) {
    this.gpu = gpu;
  }

  /** A buffer that holds `values`. */
  upload(values: ArrayBufferView<ArrayBuffer>, usage = 0): LedgerBuffer {
    const buffer = this.gpu.ledger.createBuffer({
      label: "check",
      category: "activations",
      bytes: values.byteLength,
      usage: STORAGE | usage,
    });
    this.#buffers.push(buffer);
    const { buffer: memory, byteOffset, byteLength } = values; // Dawn's binding knows no Float16Array
    // Deno 2.9.6 panics where there is nothing to write.
    if (byteLength > 0) this.gpu.device.queue.writeBuffer(buffer.buffer, 0, memory, byteOffset, byteLength);
    return buffer;
  }

  /** A buffer of `length` NaNs: what a kernel doesn't write is seen, and so is what it shouldn't have read. */
  poisoned(length: number): LedgerBuffer {
    return this.upload(new Float32Array(length).fill(NaN));
  }

  /** Frees the buffers. */
  dispose(): void {
    for (const buffer of this.#buffers) buffer.destroy();
  }
}

/** Gives `use` a {@linkcode Scratch} and frees its buffers afterwards, whatever happens. */
export async function withScratch<T>(gpu: Gpu, use: (scratch: Scratch) => Promise<T>): Promise<T> {
  const scratch = new Scratch(gpu);
  try {
    return await use(scratch);
  } finally {
    scratch.dispose();
  }
}

/** Reads a buffer of float32. */
export async function download(gpu: Gpu, { buffer, bytes }: LedgerBuffer): Promise<Float32Array> {
  return new Float32Array(await readBuffer(gpu, buffer, 0, bytes));
}

/** Compiles a kernel of the model: `groups` are those after `@group(0)`. */
export function compile(gpu: Gpu, spec: KernelSpec): Promise<Kernel> {
  return createKernel(gpu.device, { ...spec, groups: [layoutsOf(gpu).step, ...spec.groups] });
}

const layoutsByGpu = new WeakMap<Gpu, Layouts>();

/** The model's layouts on this GPU. */
export function layoutsOf(gpu: Gpu): Layouts {
  const layouts = layoutsByGpu.get(gpu) ?? createLayouts(gpu.device);
  layoutsByGpu.set(gpu, layouts);
  return layouts;
}

/** Runs what `record` records with the tables of a batch as `@group(0)`. */
export function runBatch(gpu: Gpu, batch: Batch, record: (recorder: Recorder) => void): void {
  const limits = { maxRows: batch.nRows, maxSpans: batch.nRows, maxOutputs: batch.nOutputs };
  const tables = new StepTables(gpu, layoutsOf(gpu).step, limits, 1);
  try {
    const recorder = new Recorder(gpu.device);
    const offsets = tables.set(0, batch);
    tables.upload(1);
    recorder.share(tables.group, offsets);
    record(recorder);
    recorder.submit();
  } finally {
    tables.dispose(); // WebGPU frees it once what was submitted is done
  }
}
