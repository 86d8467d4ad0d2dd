/**
 * K/V memory on the GPU that many sequences share: one buffer or texture of token slots per kept layer, and a table
 * that says where each sequence's slots are: in blocks, or in one region. Owns layers and table; which slots are whose
 * is decided elsewhere.
 *
 * @module
 */
import type { Gpu } from "../gpu/gpu.ts";
import type { LedgerBuffer } from "../gpu/ledger.ts";
import { readPieces } from "../gpu/readback.ts";
import { ARENA, PAGED } from "./files.ts";
import type { KvLayer } from "./layer.ts";
import { KvLayout } from "./layout.ts";
import { SLOT_GROUP, slotGroupOf } from "./slot_group.ts";
import { type KvGroups, type KvShape, type KvSource } from "./shape.ts";

/** How large the pool is and how it is cut. */
export interface SlotPoolOptions {
  /** Token slots. */
  readonly nSlots: number;
  /** Layers that have memory of their own; with 1, all layers share it. */
  readonly layersKept: number;
  /** Tokens per block; undefined where each sequence has one region. */
  readonly blockSize: number | undefined;
}

/** Consecutive slots. */
export interface Slots {
  /** First slot. */
  readonly first: number;
  /** Slots. */
  readonly count: number;
}

/** Values or scales of a layer, which are rows, one for each head's K and V of a slot: see `kv_groups.wgsl`. */
export interface SlotBuffer {
  /** What holds them. */
  readonly buffer: LedgerBuffer;
  /** Bytes of a row. */
  readonly rowBytes: number;
  /** Bytes of a slot. */
  readonly slotBytes: number;
}

/** Token slots of every kept layer. */
export class SlotPool {
  /** What kernels that touch K and V are joined with. */
  readonly source: KvSource;
  /** By kept layer: the K and V of nSlots slots, in groups. */
  readonly layers: readonly KvLayer[];
  /** Bytes of a slot in one layer. */
  readonly slotBytes: number;
  /** Heads of a layer. */
  readonly nHead: number;
  /** Slots of a group: see `kv_groups.wgsl`. */
  readonly slotGroup: number;
  readonly #gpu: Gpu;
  readonly #layout: KvLayout;
  readonly #table: LedgerBuffer; // [nSequences, width] u32
  readonly #width: number;
  /** What the table holds, by sequence. */
  readonly #placed: Uint32Array<ArrayBuffer>[];
  readonly #groups: readonly KvGroups[];

  /**
   * Allocates the slots, which hold zeros.
   *
   * @throws {KvbenchError} If a layer is larger than the device allows.
   */
  constructor(gpu: Gpu, shape: KvShape, { nSlots, layersKept, blockSize }: SlotPoolOptions) {
    this.#gpu = gpu;
    this.#width = blockSize === undefined ? 1 : Math.ceil(shape.nCtx / blockSize);
    this.#placed = Array.from({ length: shape.nSequences }, () => new Uint32Array(this.#width).fill(-1));
    this.nHead = shape.nHead;
    this.slotGroup = blockSize === undefined ? SLOT_GROUP : slotGroupOf(blockSize);
    const layout = this.#layout = new KvLayout(gpu, shape, {
      file: blockSize === undefined ? ARENA : PAGED,
      table: "read",
      most: nSlots,
      group: this.slotGroup,
      ...(blockSize !== undefined && { overrides: { BLOCK_SIZE: blockSize, MAX_BLOCKS: this.#width } }),
    });
    this.source = layout.source;
    this.slotBytes = layout.slotBytes;
    this.#table = gpu.ledger.createBuffer({
      label: "kv table",
      category: "tables",
      bytes: shape.nSequences * this.#width * 4,
    });
    this.layers = Array.from({ length: layersKept }, () => layout.createLayer("kv", nSlots));
    this.#groups = this.layers.map((kv) => layout.bind(kv, this.#table));
  }

  /**
   * The buffers of all layers, values before scales, if values are in buffers: only those are copied slot by slot.
   *
   * @throws {Error} If they are in textures.
   */
  get buffers(): SlotBuffer[] {
    const { nHead } = this, rows = 2 * nHead;
    return this.layers.flatMap(({ kv, scales }) => {
      if (!("buffer" in kv)) throw new Error("K and V are in textures: wanted buffers");
      const { valueBytes, scaleBytes } = this.#layout;
      return [
        { buffer: kv, rowBytes: valueBytes / rows, slotBytes: valueBytes },
        ...scales ? [{ buffer: scales, rowBytes: scaleBytes / rows, slotBytes: scaleBytes }] : [],
      ];
    });
  }

  /** Bytes of all slots, in all kept layers. */
  get allocatedBytes(): number {
    return this.layers.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** A layer's slots, with the table. */
  bindGroups(layer: number): KvGroups {
    return this.#groups[layer % this.#groups.length]!;
  }

  /**
   * Says where a sequence's slots are: its blocks in order, or the first slot of its region.
   *
   * @param submit Called before an entry that earlier recorded steps use is changed.
   */
  place(sequence: number, entries: readonly number[], submit: () => void): void {
    const placed = this.#placed[sequence]!;
    let first = 0;
    while (first < entries.length && placed[first] === entries[first]) first++;
    if (first === entries.length) return;
    if (placed[first] !== UNUSED) submit();
    for (let i = first; i < entries.length; i++) placed[i] = entries[i]!;
    const at = (sequence * this.#width + first) * 4;
    this.#gpu.device.queue.writeBuffer(this.#table.buffer, at, placed, first, entries.length - first);
  }

  /** Brings whole groups of slots to the host: of each buffer of each layer, the slots of all ranges. */
  async save(ranges: readonly Slots[]): Promise<ArrayBuffer> {
    const pieces = this.buffers.flatMap(({ buffer, slotBytes }) =>
      ranges.map(({ first, count }) => ({
        source: buffer.buffer,
        offset: first * slotBytes,
        bytes: count * slotBytes,
      }))
    );
    return await readPieces(this.#gpu, pieces);
  }

  /** Brings back what {@linkcode SlotPool.save} gave, into as many slots. */
  load(ranges: readonly Slots[], data: ArrayBuffer): void {
    let from = 0;
    for (const { buffer, slotBytes } of this.buffers) {
      for (const { first, count } of ranges) {
        const bytes = count * slotBytes;
        this.#gpu.device.queue.writeBuffer(buffer.buffer, first * slotBytes, data, from, bytes);
        from += bytes;
      }
    }
  }

  /** Frees slots and table. */
  dispose(): void {
    for (const entry of [...this.layers, this.#table]) entry.destroy();
  }
}

/** What the table's mirror holds where nothing was ever placed. */
const UNUSED = 0xffffffff;
