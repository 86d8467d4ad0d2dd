/**
 * The needs of timing kernels: buffers and textures that are freed together, and the step tables that every kernel binds.
 */
import type { Gpu } from "../../gpu/gpu.ts";
import type { LedgerBuffer, LedgerVectors } from "../../gpu/ledger.ts";
import type { Recorder } from "../../gpu/recorder.ts";
import type { Batch } from "../batch.ts";
import { type KernelContext, Layouts } from "../plan.ts";
import { StepTables } from "../step_tables.ts";
import type { Tuning } from "../tuning.ts";
import type { AutotuneOptions } from "./options.ts";

/** Bytes of weights of one shape that take turns: more than caches hold. */
const COLD_BYTES = 128 * 2 ** 20;

/** Memory of one tuning. */
export class TuningScratch {
  /** The GPU. */
  readonly gpu: Gpu;
  /** Options of the choice. */
  readonly options: AutotuneOptions;
  readonly #made = new Map<boolean, Layouts>();
  readonly #free: (() => void)[] = [];

  /** Begins with nothing. */
  constructor(gpu: Gpu, options: AutotuneOptions) {
    this.gpu = gpu;
    this.options = options;
  }

  /** Frees what was allocated. */
  dispose(): void {
    for (const free of this.#free) free();
  }

  /** Returns the context that kernels are compiled in. */
  context(tuning: Tuning): KernelContext {
    const { config, weightsDtype } = this.options;
    return { device: this.gpu.device, layouts: this.layouts(tuning.texels), config, tuning, weightsDtype };
  }

  /** Bind group layouts, with or without texels. */
  layouts(texels: boolean): Layouts {
    const layouts = this.#made.get(texels) ?? new Layouts(this.gpu.device, { texels });
    this.#made.set(texels, layouts);
    return layouts;
  }

  /** Weights that take turns, up to `count` of them, so that none is in a cache when a step would find it cold. */
  coldWeights(
    bytes: number,
    { count, texels }: { readonly count: number; readonly texels: boolean },
  ): LedgerVectors[] {
    const copies = Math.max(1, Math.min(count, Math.floor(COLD_BYTES / bytes)));
    return Array.from({ length: copies }, () => this.vectors(bytes, texels));
  }

  /** A buffer. */
  buffer(bytes: number): LedgerBuffer {
    return this.keep(this.gpu.ledger.createBuffer({ label: "autotune", category: "staging", bytes }));
  }

  /** A texture of vectors, or a buffer. */
  vectors(bytes: number, texels: boolean): LedgerVectors {
    const spec = { label: "autotune", category: "staging", bytes } as const;
    return this.keep(this.gpu.ledger.createVectors(spec, { texels }));
  }

  /** Frees it with the rest. */
  keep<T extends { destroy(): void }>(entry: T): T {
    this.#free.push(() => entry.destroy());
    return entry;
  }

  /** Uploads a batch's tables and returns what binds them. */
  step(batch: Batch): (recorder: Recorder) => void {
    const limits = { maxRows: batch.nRows, maxSpans: 1, maxOutputs: 1 };
    const tables = new StepTables(this.gpu, this.layouts(false).step, limits, 1);
    this.#free.push(() => tables.dispose());
    const offsets = tables.set(0, batch);
    tables.upload(1);
    return (recorder) => recorder.share(tables.group, offsets);
  }
}
