/**
 * The surroundings of a kernel that is run alone: buffers and textures that are poisoned before it runs and freed together, the model's
 * layouts, and a dispatch with the tables of a batch.
 */
import type { Gpu } from "../gpu/gpu.ts";
import { type LedgerBuffer, type LedgerEntry, type LedgerVectors, STORAGE } from "../gpu/ledger.ts";
import { readBuffer, readTexels } from "../gpu/readback.ts";
import { Recorder } from "../gpu/recorder.ts";
import { writeVectors } from "../gpu/writer.ts";
import type { Batch } from "../model/batch.ts";
import { Layouts } from "../model/plan.ts";
import { StepTables } from "../model/step_tables.ts";
import type { Tuning } from "../model/tuning.ts";

/** Buffers and textures of one check, freed together. */
export class Scratch {
  /** The GPU of the buffers. */
  readonly gpu: Gpu;
  readonly #entries: Pick<LedgerEntry, "destroy">[] = [];

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
    this.#entries.push(buffer);
    // Deno 2.9.6 panics where there is nothing to write.
    if (values.byteLength > 0) writeVectors(this.gpu.device.queue, buffer, 0, values);
    return buffer;
  }

  /** Texels that begin with `values`, and poison behind them; or a buffer that holds them. */
  vectors(values: ArrayBufferView<ArrayBuffer>, { texels }: { readonly texels: boolean }): LedgerVectors {
    if (!texels) return this.upload(values);
    const { byteLength: bytes } = values;
    const created = this.gpu.ledger.createTexels({ label: "check", category: "activations", bytes });
    this.#entries.push(created);
    const all = new Uint8Array(new Float32Array(created.bytes / 4).fill(NaN).buffer);
    all.set(new Uint8Array(values.buffer, values.byteOffset, bytes));
    writeVectors(this.gpu.device.queue, created, 0, all);
    return created;
  }

  /** A buffer of `length` NaNs: what a kernel doesn't write is seen, and so is what it shouldn't have read. */
  poisoned(length: number): LedgerBuffer {
    return this.upload(new Float32Array(length).fill(NaN));
  }

  /** Takes over what is to be freed with the rest. */
  keep(entry: Pick<LedgerEntry, "destroy">): void {
    this.#entries.push(entry);
  }

  dispose(): void {
    for (const entry of this.#entries) entry.destroy();
  }
}

/** Gives `use` a {@linkcode Scratch} and frees what it holds afterwards, whatever happens. */
export async function withScratch<T>(gpu: Gpu, use: (scratch: Scratch) => Promise<T>): Promise<T> {
  const scratch = new Scratch(gpu);
  try {
    return await use(scratch);
  } finally {
    scratch.dispose();
  }
}

/** Reads the first `length` float32, or all of them. */
export async function download(
  gpu: Gpu,
  from: LedgerVectors,
  length: number = from.bytes / 4,
): Promise<Float32Array<ArrayBuffer>> {
  const bytes = await ("view" in from ? readTexels(gpu, from) : readBuffer(gpu, from.buffer, 0, from.bytes));
  return new Float32Array(bytes, 0, length);
}

const layoutsByGpu = new WeakMap<Gpu, Map<boolean, Layouts>>();

/** The model's layouts on this GPU. */
export function layoutsOf(gpu: Gpu, { texels }: Pick<Tuning, "texels">): Layouts {
  const known = layoutsByGpu.get(gpu) ?? new Map<boolean, Layouts>();
  layoutsByGpu.set(gpu, known);
  const layouts = known.get(texels) ?? new Layouts(gpu.device, { texels });
  known.set(texels, layouts);
  return layouts;
}

/** Runs what `record` records with the tables of a batch as `@group(0)`. */
export function runBatch(gpu: Gpu, batch: Batch, record: (recorder: Recorder) => void): void {
  const limits = { maxRows: batch.nRows, maxSpans: batch.nRows, maxOutputs: batch.nOutputs };
  const tables = new StepTables(gpu, layoutsOf(gpu, { texels: false }).step, limits, 1);
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
