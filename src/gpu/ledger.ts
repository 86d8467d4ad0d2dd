/**
 * The ledger of GPU memory: the only place in kvbench that creates a buffer or a texture. It owns the byte counts
 * (current and peak, by category and by label) and knows nothing of what the bytes mean. It counts what was
 * asked of WebGPU; a driver's own padding, pipelines and staging copies are outside its sight.
 *
 * @module
 */
import { KvbenchError } from "../base/errors.ts";
import { ROW_BYTES, TEXEL_BYTES, TEXEL_FORMAT, texelRows } from "./texels.ts";

/** What a buffer is for. */
export const CATEGORIES = ["weights", "kv", "activations", "tables", "staging"] as const;
/** What a buffer is for. */
export type Category = (typeof CATEGORIES)[number];

/** Bytes by category and in all. */
export type Bytes = Readonly<Record<Category | "total", number>>;

/** What a new buffer needs to be. */
export interface BufferSpec {
  /** Names the buffer in summaries and in driver messages. */
  readonly label: string;
  /** What the bytes are counted under. */
  readonly category: Category;
  /** Bytes wanted; rounded up to a multiple of 16. */
  readonly bytes: number;
  /** Defaults to storage that can be copied from and to. */
  readonly usage?: GPUBufferUsageFlags;
}

/** Memory that the ledger counts until it is destroyed. */
export interface LedgerEntry {
  /** Its name. */
  readonly label: string;
  /** What its bytes are counted under. */
  readonly category: Category;
  /** Bytes allocated. */
  readonly bytes: number;
  /** Gives the bytes back; a second call does nothing. */
  destroy(): void;
}

/** A GPU buffer that the ledger counts. */
export interface LedgerBuffer extends LedgerEntry {
  /** The WebGPU buffer. */
  readonly buffer: GPUBuffer;
}

/** A texture that holds vectors as a buffer does, and that the ledger counts; see `texels.wgsl`. */
export interface LedgerTexels extends LedgerEntry {
  /** The WebGPU texture. */
  readonly texture: GPUTexture;
  /** What kernels bind. */
  readonly view: GPUTextureView;
  /** Bytes of a row. */
  readonly rowBytes: number;
}

/** Vectors of 16 bytes in either form. */
export type LedgerVectors = LedgerBuffer | LedgerTexels;

/** The buffers and textures of one label. */
export interface LabelledBytes {
  /** Their name. */
  readonly label: string;
  /** What their bytes are counted under. */
  readonly category: Category;
  /** How many there are. */
  readonly buffers: number;
  /** Their bytes together. */
  readonly bytes: number;
}

/** What was alive at a moment. */
export interface LedgerState {
  /** Bytes alive. */
  readonly current: Bytes;
  /** The most until then. */
  readonly peak: Bytes;
  /** The ten labels with the most bytes alive, largest first. */
  readonly largest: readonly LabelledBytes[];
}

/** The buffer usage that nearly every tensor has. */
export const STORAGE: GPUBufferUsageFlags = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC |
  GPUBufferUsage.COPY_DST;

/** What is done with texels: kernels read or write them, and they are copied from and to. */
const TEXELS_USAGE: GPUTextureUsageFlags = GPUTextureUsage.STORAGE_BINDING | GPUTextureUsage.COPY_SRC |
  GPUTextureUsage.COPY_DST;

/** Counts every byte of GPU buffer and texture on one device. */
export class Ledger {
  readonly #device: GPUDevice;
  readonly #live = new Set<LedgerEntry>();
  #current = zero();
  #peak = zero();

  /**
   * Begins with nothing alive.
   *
   * @param device The device whose buffers are made and counted here.
   */
  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /**
   * Creates a buffer and counts it.
   *
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
   * Creates a texture for vectors of 16 bytes and counts it.
   *
   * @param spec `bytes` are rounded up to whole rows of `rowBytes`, a multiple of 16: 32 KiB unless told otherwise.
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
   * Creates texels or a buffer for vectors of 16 bytes.
   *
   * @throws {KvbenchError} If the device does not allow as many.
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
    return entry;
  }

  /** Runs `make`; if that throws, destroys everything that was created in it. */
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
   * The most bytes that were alive at once since the start or the last {@link Ledger.resetPeak}. Each
   * category has a peak of its own, so that the categories may add up to more than the total.
   */
  get peak(): Bytes {
    return { ...this.#peak };
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

  /** Bytes alive, and buffers and textures, by label, largest first. */
  byLabel(): LabelledBytes[] {
    const rows = new Map<string, LabelledBytes>();
    for (const { label, category, bytes } of this.#live) {
      const row = rows.get(label) ?? { label, category, buffers: 0, bytes: 0 };
      rows.set(label, { ...row, buffers: row.buffers + 1, bytes: row.bytes + bytes });
    }
    return [...rows.values()].sort((a, b) => b.bytes - a.bytes);
  }

  /** What there is now, for a report. */
  state(): LedgerState {
    return { current: this.current, peak: this.peak, largest: this.byLabel().slice(0, 10) };
  }

  /** A text like CUDA's memory summary: a line per category, then the largest labels. */
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
   * Checks that nothing is left alive.
   *
   * @throws {KvbenchError} Naming what was leaked.
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
