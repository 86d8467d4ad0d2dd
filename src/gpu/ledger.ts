/**
 * The ledger of GPU memory: the only place that creates buffers and textures. Owns the byte counts, current and peak, by
 * category and by label. Counts the bytes that WebGPU is asked for; a driver's padding, pipelines and staging copies are
 * not seen.
 */
import { KvbenchError } from "../base/errors.ts";
import { ROW_BYTES, TEXEL_BYTES, TEXEL_FORMAT, texelRows } from "./texels.ts";

export const CATEGORIES = [
  "weights",
  "kv",
  "activations",
  "tables",
  "staging",
] as const satisfies readonly Category[];
type Category = Exclude<keyof Bytes, "total">;

/** Bytes by category and in all. */
export type Bytes = Readonly<
  Record<"weights" | "kv" | "activations" | "tables" | "staging" | "total", number>
>;

/** Name, purpose and size of a new buffer. */
export interface BufferSpec {
  /** Name in summaries and in driver messages. */
  readonly label: string;
  readonly category: Category;
  /** Least size; rounded up to a multiple of 16. */
  readonly bytes: number;
  /** Default: {@linkcode STORAGE}. */
  readonly usage?: GPUBufferUsageFlags;
}

/** Memory that the ledger counts until it is destroyed. */
export interface LedgerEntry {
  readonly label: string;
  readonly category: Category;
  readonly bytes: number;
  /** Frees the memory; a second call does nothing. */
  destroy(): void;
}

/** A GPU buffer that the ledger counts. */
export interface LedgerBuffer extends LedgerEntry {
  readonly buffer: GPUBuffer;
}

/** Texture storage, which holds vectors as a buffer does, and which the ledger counts; see `texels.wgsl`. */
export interface LedgerTexels extends LedgerEntry {
  readonly texture: GPUTexture;
  /** View for kernels' bindings. */
  readonly view: GPUTextureView;
  readonly rowBytes: number;
}

/** Vectors of 16 bytes in a buffer or in texture storage. */
export type LedgerVectors = LedgerBuffer | LedgerTexels;

/** The buffers and textures of one label. */
interface LabelledBytes {
  readonly label: string;
  readonly category: Category;
  /** Number of buffers and textures. */
  readonly buffers: number;
  /** Sum of their bytes. */
  readonly bytes: number;
}

/** State of a ledger at a moment. */
export interface LedgerState {
  readonly current: Bytes;
  /** Most bytes alive until then. */
  readonly peak: Bytes;
  /** The ten labels with the most bytes alive, largest first. */
  readonly largest: readonly LabelledBytes[];
}

/** Usage of nearly every buffer: storage that can be copied from and to. */
export const STORAGE: GPUBufferUsageFlags = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC |
  GPUBufferUsage.COPY_DST;

/** Usage of texture storage: kernels read or write it, and it is copied from and to. */
const TEXELS_USAGE: GPUTextureUsageFlags = GPUTextureUsage.STORAGE_BINDING | GPUTextureUsage.COPY_SRC |
  GPUTextureUsage.COPY_DST;

/** Counts every byte of GPU buffer and texture on one device. */
export class Ledger {
  readonly #device: GPUDevice;
  readonly #live = new Set<LedgerEntry>();
  #current = zero();
  #peak = zero();
  #created = { buffers: 0, bytes: 0 };

  /**
   * Begins with nothing alive.
   *
   * @param device Device whose buffers and textures are created here.
   */
  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /**
   * Creates a buffer and counts it.
   *
   * @internal For the parts of kvbench alone.
   * @throws {KvbenchError} If the device's `maxBufferSize` is smaller than the buffer.
   */
  createBuffer(spec: BufferSpec): LedgerBuffer {
    const bytes = Math.max(16, Math.ceil(spec.bytes / 16) * 16);
    const { maxBufferSize } = this.#device.limits;
    if (!Number.isSafeInteger(bytes) || bytes > maxBufferSize) {
      throw new KvbenchError(
        `Cannot create buffer "${spec.label}" of ${spec.bytes} bytes: this device allows at most ${maxBufferSize}`,
      );
    }
    const buffer = this.#device.createBuffer({
      label: spec.label,
      size: bytes,
      usage: spec.usage ?? STORAGE,
    });
    return this.#count({ ...spec, bytes }, buffer, { buffer });
  }

  /**
   * Creates texture storage for vectors of 16 bytes, and counts it.
   *
   * @internal For the parts of kvbench alone.
   * @param spec `bytes` is rounded up to whole rows of `rowBytes`, a multiple of 16. Default of `rowBytes`: 32 KiB.
   * @throws {KvbenchError} If the device's `maxTextureDimension2D` is smaller than the texture.
   */
  createTexels(spec: Omit<BufferSpec, "usage"> & { readonly rowBytes?: number }): LedgerTexels {
    const { rowBytes = ROW_BYTES } = spec;
    const width = rowBytes / TEXEL_BYTES, height = texelRows(spec.bytes, rowBytes);
    const { maxTextureDimension2D: most } = this.#device.limits;
    if (!Number.isSafeInteger(height) || Math.max(width, height) > most) {
      throw new KvbenchError(
        `Cannot create texture "${spec.label}" of ${spec.bytes} bytes in rows of ${rowBytes}: this device allows ` +
          `at most ${most} rows of ${most * TEXEL_BYTES}`,
      );
    }
    const texture = this.#device.createTexture({
      label: spec.label,
      size: [width, height],
      format: TEXEL_FORMAT,
      usage: TEXELS_USAGE,
    });
    return this.#count({ ...spec, bytes: height * rowBytes }, texture, {
      texture,
      view: texture.createView(),
      rowBytes,
    });
  }

  /**
   * Creates texture storage or a buffer for vectors of 16 bytes.
   *
   * @internal For the parts of kvbench alone.
   * @throws {KvbenchError} If the device does not allow that size.
   */
  createVectors(spec: Omit<BufferSpec, "usage">, { texels }: { readonly texels: boolean }): LedgerVectors {
    return texels ? this.createTexels(spec) : this.createBuffer(spec);
  }

  #count<T extends object>(
    { label, category, bytes }: Pick<LedgerEntry, "label" | "category" | "bytes">,
    resource: GPUBuffer | GPUTexture,
    own: T,
  ): LedgerEntry & T {
    const entry = {
      ...own,
      label,
      category,
      bytes,
      destroy: () => {
        if (!this.#live.delete(entry)) return;
        resource.destroy();
        this.#add(category, -bytes);
      },
    };
    this.#live.add(entry);
    this.#add(category, bytes);
    this.#created = { buffers: this.#created.buffers + 1, bytes: this.#created.bytes + bytes };
    return entry;
  }

  /** Runs `make`; if it throws, destroys everything that it has created. */
  allOrNone<T>(make: () => T): T {
    const before = new Set(this.#live);
    try {
      return make();
    } catch (error) {
      for (const entry of [...this.#live]) {
        if (!before.has(entry)) entry.destroy();
      }
      throw error;
    }
  }

  /** Bytes alive now. */
  get current(): Bytes {
    return { ...this.#current };
  }

  /**
   * Most bytes alive at once since the start or the last {@link Ledger.resetPeak}. Each category has its own peak, so
   * their sum may exceed the total's.
   */
  get peak(): Bytes {
    return { ...this.#peak };
  }

  /** Buffers and textures that were ever created, and their bytes, whether they are still alive or not. */
  get created(): Readonly<Record<"buffers" | "bytes", number>> {
    return this.#created;
  }

  /** Starts a new peak from what is alive now (as CUDA's `reset_peak_memory_stats` does). */
  resetPeak(): void {
    this.#peak = { ...this.#current };
  }

  /** Runs `work` and returns the most bytes that were alive at once in it, by category, beside its result. */
  async peakDuring<T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly peak: Bytes }> {
    this.resetPeak();
    const value = await work();
    return { value, peak: this.peak };
  }

  /** @internal Counts bytes, buffers and textures by label, largest first. */
  byLabel(): LabelledBytes[] {
    const rows = new Map<string, LabelledBytes>();
    for (const { label, category, bytes } of this.#live) {
      const row = rows.get(label) ?? { label, category, buffers: 0, bytes: 0 };
      rows.set(label, { ...row, buffers: row.buffers + 1, bytes: row.bytes + bytes });
    }
    return [...rows.values()].sort((a, b) => b.bytes - a.bytes);
  }

  /** @internal Returns the present state, for a report. */
  state(): LedgerState {
    return { current: this.current, peak: this.peak, largest: this.byLabel().slice(0, 10) };
  }

  /** Formats a summary like CUDA's: a line per category, then the largest labels. */
  summary(): string {
    const lines = ["category          current bytes     peak bytes"];
    for (const key of ["total", ...CATEGORIES] as const) {
      lines.push(
        `${key.padEnd(14)}${String(this.#current[key]).padStart(17)}${String(this.#peak[key]).padStart(15)}`,
      );
    }
    for (const { label, buffers, bytes } of this.state().largest) {
      lines.push(`  ${label} (${buffers} ${buffers === 1 ? "buffer" : "buffers"}): ${bytes}`);
    }
    return lines.join("\n");
  }

  /**
   * Checks that nothing is alive.
   *
   * @throws {KvbenchError} Naming the leaks.
   */
  assertEmpty(): void {
    if (this.#live.size === 0) return;
    const leaks = this.byLabel().map(({ label, buffers, bytes }) => `${buffers} × ${label} (${bytes} bytes)`);
    throw new KvbenchError(`GPU buffers were leaked: ${leaks.join(", ")}`);
  }

  #add(category: Category, bytes: number): void {
    for (const key of [category, "total"] as const) {
      this.#current[key] += bytes;
      this.#peak[key] = Math.max(this.#peak[key], this.#current[key]);
    }
  }
}

function zero(): Record<Category | "total", number> {
  return { total: 0, weights: 0, kv: 0, activations: 0, tables: 0, staging: 0 };
}
