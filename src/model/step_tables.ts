/**
 * The GPU side of batches: tables of several steps, written together before a submission and bound part by part
 * through dynamic offsets, so that no bind group is made per step.
 */
import { BindLayout } from "../gpu/bind_layout.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { LedgerBuffer } from "../gpu/ledger.ts";
import { type Batch, type BatchLimits, TILE_ROWS } from "./batch.ts";

/** The layout of `@group(0)`, as `step.wgsl` declares it. */
export function stepLayout(device: GPUDevice): BindLayout<"counts" | "rows" | "tiles" | "outputs"> {
  return new BindLayout(
    device,
    "step",
    { counts: "uniform", rows: "read", tiles: "read", outputs: "read" },
    { dynamic: true },
  );
}

/** One table: `nSteps` parts of equal size, mirrored on the host. */
class Table {
  readonly gpu: LedgerBuffer;
  readonly host: Uint32Array<ArrayBuffer>;
  readonly partBytes: number;

  constructor(gpu: Gpu, label: string, words: number, nSteps: number, usage: GPUBufferUsageFlags) {
    this.partBytes = Math.ceil(Math.max(words * 4, 16) / 256) * 256; // the default offset alignment
    this.host = new Uint32Array(this.partBytes / 4 * nSteps);
    this.gpu = gpu.ledger.createBuffer({ label, category: "tables", bytes: this.host.byteLength, usage });
  }

  get binding(): GPUBufferBinding {
    return { buffer: this.gpu.buffer, size: this.partBytes };
  }

  set(step: number, values: Uint32Array): void {
    this.host.set(values, step * this.partBytes / 4);
  }

  upload(queue: GPUQueue, nSteps: number): void {
    queue.writeBuffer(this.gpu.buffer, 0, this.host, 0, nSteps * this.partBytes / 4);
  }
}

/** Tables for up to `nSteps` steps per submission. */
export class StepTables {
  readonly #gpu: Gpu;
  readonly #counts: Table;
  readonly #rows: Table;
  readonly #tiles: Table;
  readonly #outputs: Table;
  /** All tables, bound with dynamic offsets. */
  readonly group: GPUBindGroup;
  /** Steps that fit a submission. */
  readonly nSteps: number;

  /** Allocates tables that hold `nSteps` batches within `limits`. */
  constructor(gpu: Gpu, layout: ReturnType<typeof stepLayout>, limits: BatchLimits, nSteps: number) {
    const { maxRows, maxSpans, maxOutputs } = limits;
    const storage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
    const uniform = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
    // Each span can end in a tile that is not full.
    const maxTiles = Math.ceil(maxRows / TILE_ROWS) + maxSpans;
    this.#gpu = gpu;
    this.nSteps = nSteps;
    this.#counts = new Table(gpu, "step counts", 4, nSteps, uniform);
    this.#rows = new Table(gpu, "step rows", 2 * maxRows, nSteps, storage);
    this.#tiles = new Table(gpu, "step tiles", 4 * maxTiles, nSteps, storage);
    this.#outputs = new Table(gpu, "step outputs", 4 * maxOutputs, nSteps, storage);
    this.group = layout.bind({
      counts: this.#counts.binding,
      rows: this.#rows.binding,
      tiles: this.#tiles.binding,
      outputs: this.#outputs.binding,
    });
  }

  /** Places a batch as step `step` of the next submission; returns the dynamic offsets that bind it. */
  set(step: number, batch: Batch): number[] {
    const { nRows, nPrefillTiles, nDecodeTiles, nOutputs } = batch;
    this.#counts.set(step, Uint32Array.of(nRows, nPrefillTiles, nDecodeTiles, nOutputs));
    this.#rows.set(step, batch.rows);
    this.#tiles.set(step, batch.tiles);
    this.#outputs.set(step, batch.outputs);
    return this.#tables.map((table) => step * table.partBytes);
  }

  /** Writes the first `nSteps` steps to the GPU, in time for the next submission. */
  upload(nSteps: number): void {
    for (const table of this.#tables) table.upload(this.#gpu.device.queue, nSteps);
  }

  /** Frees the tables. */
  dispose(): void {
    for (const table of this.#tables) table.gpu.destroy();
  }

  get #tables(): Table[] {
    return [this.#counts, this.#rows, this.#tiles, this.#outputs];
  }
}
