/**
 * K/V memory on the GPU that many sequences share: one buffer of token slots per kept layer, and a table that says
 * where each sequence's slots are: in blocks, or in one region. Owns buffers, table and bind groups; which slots are
 * whose is decided elsewhere.
 *
 * @module
 */
import { BindLayout } from "../gpu/bind_layout.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { LedgerBuffer } from "../gpu/ledger.ts";
import { readPieces } from "../gpu/readback.ts";
import { ARENA, KV_FORMATS, KV_GROUPS, PAGED } from "./files.ts";
import { SLOT_GROUP, slotGroupOf } from "./slot_group.ts";
import { kvHeadBytes, kvRowBytes, type KvShape, type KvSource } from "./strategy.ts";

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

/** Token slots of every kept layer. */
export class SlotPool {
  /** What kernels that touch K and V are joined with. */
  readonly source: KvSource;
  /** By kept layer: the K and V of nSlots slots, in groups. */
  readonly layers: readonly LedgerBuffer[];
  /** Bytes of a slot in one layer. */
  readonly slotBytes: number;
  /** Bytes of one head's K, or V, of a slot. */
  readonly headBytes: number;
  /** Heads of a layer. */
  readonly nHead: number;
  /** Slots of a group: see `kv_groups.wgsl`. */
  readonly slotGroup: number;
  readonly #gpu: Gpu;
  readonly #table: LedgerBuffer; // [nSequences, width] u32
  readonly #width: number;
  /** What the table holds, by sequence. */
  readonly #placed: Uint32Array<ArrayBuffer>[];
  readonly #groups: readonly GPUBindGroup[];

  /**
   * Allocates the slots, which hold zeros.
   *
   * @throws {KvbenchError} If a layer is larger than a buffer may be.
   */
  constructor(gpu: Gpu, shape: KvShape, { nSlots, layersKept, blockSize }: SlotPoolOptions) {
    this.#gpu = gpu;
    this.#width = blockSize === undefined ? 1 : Math.ceil(shape.nCtx / blockSize);
    this.#placed = Array.from({ length: shape.nSequences }, () => new Uint32Array(this.#width).fill(-1));
    this.slotBytes = kvRowBytes(shape);
    this.headBytes = kvHeadBytes(shape);
    this.nHead = shape.nHead;
    this.slotGroup = blockSize === undefined ? SLOT_GROUP : slotGroupOf(blockSize);
    const layout = new BindLayout(gpu.device, "kv slots", { kv: "readWrite", table: "read" });
    this.source = {
      files: [blockSize === undefined ? ARENA : PAGED, KV_GROUPS, KV_FORMATS[shape.dtype]],
      layout,
      overrides: {
        SLOT_GROUP: this.slotGroup,
        ...(blockSize !== undefined && { BLOCK_SIZE: blockSize, MAX_BLOCKS: this.#width }),
      },
    };
    this.#table = gpu.ledger.createBuffer({
      label: blockSize === undefined ? "kv regions" : "block table",
      category: "tables",
      bytes: shape.nSequences * this.#width * 4,
    });
    const bytes = nSlots * this.slotBytes;
    this.layers = Array.from(
      { length: layersKept },
      () => gpu.ledger.createBuffer({ label: "kv pool", category: "kv", bytes }),
    );
    this.#groups = this.layers.map((kv) => layout.bind({ kv, table: this.#table }));
  }

  /** Bytes of all slots, in all kept layers. */
  get allocatedBytes(): number {
    return this.layers.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** A layer's slots, with the table. */
  bindGroup(layer: number): GPUBindGroup {
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

  /** Brings whole groups of slots to the host, layer after layer: [layersKept][slots of all ranges][slotBytes]. */
  async save(ranges: readonly Slots[]): Promise<ArrayBuffer> {
    const pieces = this.layers.flatMap(({ buffer }) =>
      ranges.map(({ first, count }) => ({
        source: buffer,
        offset: first * this.slotBytes,
        bytes: count * this.slotBytes,
      }))
    );
    return await readPieces(this.#gpu, pieces);
  }

  /** Brings back what {@linkcode SlotPool.save} gave, into as many slots. */
  load(ranges: readonly Slots[], data: ArrayBuffer): void {
    let from = 0;
    for (const { buffer } of this.layers) {
      for (const { first, count } of ranges) {
        const bytes = count * this.slotBytes;
        this.#gpu.device.queue.writeBuffer(buffer, first * this.slotBytes, data, from, bytes);
        from += bytes;
      }
    }
  }

  /** Frees slots and table. */
  dispose(): void {
    for (const buffer of [...this.layers, this.#table]) buffer.destroy();
  }
}

/** What the table's mirror holds where nothing was ever placed. */
const UNUSED = 0xffffffff;
