/**
 * K/V memory on the GPU: one buffer or texture of token slots per kept layer, and the table that kernels find a
 * sequence's slots by. Carries out what a policy decides: places sequences, copies, swaps and resizes.
 */
import type { Gpu } from "../gpu/gpu.ts";
import type { LedgerBuffer } from "../gpu/ledger.ts";
import { readPieces } from "../gpu/readback.ts";
import { KvLayout } from "./layout.ts";
import type { KvLayer } from "./layer.ts";
import type { Move, SlotRange } from "./moves.ts";
import type { KvShape } from "./shape.ts";
import { type HeadBytes, type SlotBuffer, SlotCopier, type SlotCopy } from "./slot_copier.ts";
import type { KvGroups, KvSource } from "./source.ts";
import type { KvAddressing } from "./strategy_def.ts";

/** Kinds of GPU memory for K and V. */
export const KV_STORAGES = ["textures", "buffers"] as const;
/** A kind of GPU memory for K and V. */
export type KvStorage = (typeof KV_STORAGES)[number];

const UNIFORM = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;

interface KvPoolOptions {
  /** The dimensions of K and V. */
  readonly shape: KvShape;
  /** The way in which kernels find slots. */
  readonly addressing: KvAddressing;
  /** Token slots at the beginning. */
  readonly nSlots: number;
  /** True if single slots will be copied or swapped, which takes buffers in place of textures. */
  readonly movesSlots: boolean;
}

/** A layer, and what kernels bind of it. */
interface BoundLayer {
  readonly layer: KvLayer;
  /** Undefined where attention reads elsewhere, which operators around it bind. */
  readonly groups: KvGroups | undefined;
}

/** Token slots of every kept layer. */
export class KvPool {
  /** The strategy's part in the kernels that touch K and V. */
  readonly source: KvSource;
  /** Bytes of a slot in one layer. */
  readonly slotBytes: number;
  /** Kind of memory of the values: textures if the shape asks for them and they can hold K and V. */
  readonly storage: KvStorage;
  /** Bytes that were copied on the GPU, by forks and on writes to shared blocks. */
  copiedBytes = 0;
  readonly #gpu: Gpu;
  readonly #options: KvPoolOptions;
  readonly #layout: KvLayout;
  /** The table of the slots. */
  readonly table: LedgerBuffer; // u32 slots per sequence, or [nSequences, width] u32
  /** Words of a sequence's row; 0 where there is one word for all. */
  readonly #width: number;
  /** The table's words, by sequence. */
  readonly #placed: Uint32Array<ArrayBuffer>[];
  #slotsPerSequence = 0;
  #layers: BoundLayer[] = [];
  #copier: SlotCopier | undefined;
  /** By its number, what is swapped out. */
  readonly #host = new Map<number, Promise<ArrayBuffer>>();
  /** Readbacks under way of sequences that were swapped out and are not needed any more. */
  readonly #dropped: Promise<unknown>[] = [];

  private constructor(gpu: Gpu, options: KvPoolOptions) {
    const { shape, addressing, nSlots, movesSlots } = options;
    const { files, table, slotGroup, overrides, mostSlots, read } = addressing;
    this.#gpu = gpu;
    this.#options = options;
    this.#width = "width" in table ? table.width : 0;
    this.#placed = Array.from({ length: shape.nSequences }, () => new Uint32Array(this.#width).fill(UNUSED));
    this.#layout = new KvLayout(gpu, { ...shape, texels: shape.texels && !movesSlots }, {
      files,
      table: this.#width > 0 ? "read" : "uniform",
      most: mostSlots ?? nSlots,
      group: slotGroup,
      ...(overrides && { overrides }),
      read,
    });
    this.source = this.#layout.source;
    this.slotBytes = this.#layout.slotBytes;
    this.storage = this.#layout.texels ? "textures" : "buffers";
    this.table = gpu.ledger.createBuffer({
      label: "kv table",
      category: "tables",
      bytes: this.#width > 0 ? shape.nSequences * this.#width * 4 : 4,
      ...(this.#width === 0 && { usage: UNIFORM }),
    });
    if ("slotsPerSequence" in table && nSlots > 0) this.#writeRegionSize(table.slotsPerSequence);
    if (nSlots > 0) {
      for (let n = 0; n < options.addressing.layersKept; n++) this.#layers.push(this.#create(nSlots));
    }
  }

  /**
   * Allocates the slots, which hold zeros.
   *
   * @throws {KvbenchError} If a layer is larger than the device allows, or a kernel does not compile.
   */
  static async create(gpu: Gpu, options: KvPoolOptions): Promise<KvPool> {
    const pool = KvPool.allocate(gpu, options);
    if (!options.movesSlots) return pool;
    try {
      pool.#copier = await SlotCopier.create(gpu, pool);
      return pool;
    } catch (error) {
      pool.dispose();
      throw error;
    }
  }

  /**
   * Allocates the slots of a pool whose slots are never copied.
   *
   * @throws {KvbenchError} If a layer is larger than the device allows.
   */
  static allocate(gpu: Gpu, options: KvPoolOptions): KvPool {
    return gpu.ledger.allOrNone(() => new KvPool(gpu, options));
  }

  /** Bytes of a head's K and V: of their values and, where there are some, of their scales. */
  get headBytes(): readonly HeadBytes[] {
    const [k, v] = this.#layout.headBytes;
    return [[k.values, v.values], ...this.#layout.scaleBytes > 0 ? [[k.scale, v.scale] as const] : []];
  }

  /** The form of its layers, in which others can be made beside them. */
  get layout(): KvLayout {
    return this.#layout;
  }

  /** Heads of a layer. */
  get nHead(): number {
    return this.#options.shape.nHead;
  }

  /** Slots of a group: see `kv_groups.wgsl`. */
  get slotGroup(): number {
    return this.#options.addressing.slotGroup;
  }

  /** Layers that have memory of their own. */
  get layersKept(): number {
    return this.#options.addressing.layersKept;
  }

  /** Bytes of a token's K and V in all kept layers. */
  get tokenBytes(): number {
    return this.layersKept * this.slotBytes;
  }

  /** Bytes of all slots, in all kept layers. */
  get allocatedBytes(): number {
    return this.#layers.reduce((sum, { layer }) => sum + layer.bytes, 0);
  }

  /** The kept layers. */
  get layers(): readonly KvLayer[] {
    return this.#layers.map(({ layer }) => layer);
  }

  /**
   * The buffers of all layers, values before scales.
   *
   * @throws {Error} If values are in textures.
   */
  get buffers(): SlotBuffer[] {
    const { valueBytes, scaleBytes } = this.#layout, [values, own] = this.headBytes;
    return this.layers.flatMap(({ kv, scales }) => {
      if (!("buffer" in kv)) throw new Error("K and V are in textures: expected buffers");
      return [
        { buffer: kv, headBytes: values!, slotBytes: valueBytes },
        ...scales ? [{ buffer: scales, headBytes: own!, slotBytes: scaleBytes }] : [],
      ];
    });
  }

  /**
   * Returns a layer's slots, with the table. Changes when the pool is resized.
   *
   * @throws {Error} If attention reads elsewhere.
   */
  bindGroups(layer: number): KvGroups {
    const { groups } = this.#layers[layer % this.#layers.length]!;
    if (groups === undefined) throw new Error("Attention reads elsewhere: expected operators that bind it");
    return groups;
  }

  /**
   * Writes where a sequence's slots are: its blocks in order, or the first slot of its region.
   *
   * @param submit Called before an entry that earlier recorded steps use is changed.
   */
  place(sequence: number, entries: readonly number[], submit: () => void): void {
    if (this.#width === 0) return;
    const placed = this.#placed[sequence]!;
    let first = 0;
    while (first < entries.length && placed[first] === entries[first]) first++;
    if (first === entries.length) return;
    if (placed[first] !== UNUSED) submit();
    for (let i = first; i < entries.length; i++) placed[i] = entries[i]!;
    const at = (sequence * this.#width + first) * 4;
    this.#gpu.device.queue.writeBuffer(this.table.buffer, at, placed, first, entries.length - first);
  }

  /** Moves K and V, in order, and waits for nothing but host memory that is brought back. Submit recorded steps before. */
  async move(moves: readonly Move[]): Promise<void> {
    const swappedIn = new Map<number, ArrayBuffer>();
    for (const move of moves) {
      if (move.kind === "in") swappedIn.set(move.swapped.id, await this.#host.get(move.swapped.id)!);
    }
    this.moveNow(moves, swappedIn);
  }

  /**
   * Does what {@linkcode KvPool.move} does, at once.
   *
   * @param swappedIn Contents of the slots that are brought back.
   * @throws {KvbenchError} If a larger cache is more than the device allows.
   */
  moveNow(moves: readonly Move[], swappedIn: ReadonlyMap<number, ArrayBuffer> = new Map()): void {
    let copies: SlotCopy[] = [];
    const flush = () => {
      if (copies.length > 0) this.#copier!.copy(copies);
      copies = [];
    };
    for (const move of moves) {
      if (move.kind === "copy") {
        copies.push(move);
        this.copiedBytes += move.count * this.tokenBytes;
        continue;
      }
      flush();
      if (move.kind === "resize") {
        this.#resize(move);
        this.#copier?.bind(this);
      } else if (move.kind === "out") {
        const saved = this.save(move.swapped.from);
        saved.catch(() => {}); // reported when it is swapped in, or at the end
        this.#host.set(move.swapped.id, saved);
      } else {
        const { id } = move.swapped;
        if (move.kind === "in") this.#load(move.to, swappedIn.get(id)!);
        else this.#dropped.push(this.#host.get(id)!);
        this.#host.delete(id);
      }
    }
    flush();
  }

  /** Brings whole groups of slots to the host: of each buffer of each layer, the slots of all ranges. */
  async save(ranges: readonly SlotRange[]): Promise<ArrayBuffer> {
    const pieces = this.buffers.flatMap(({ buffer, slotBytes }) =>
      ranges.map(({ first, count }) => ({
        source: buffer.buffer,
        offset: first * slotBytes,
        bytes: count * slotBytes,
      }))
    );
    return await readPieces(this.#gpu, pieces);
  }

  /**
   * Waits for all that is being swapped out.
   *
   * @throws {KvbenchError} If the device has failed.
   */
  async settle(): Promise<void> {
    const all = await Promise.allSettled([...this.#host.values(), ...this.#dropped.splice(0)]);
    for (const each of all) if (each.status === "rejected") throw each.reason;
  }

  /** Binds every layer anew. */
  rebind(): void {
    this.#layers = this.#layers.map(({ layer }) => ({
      layer,
      groups: this.#layout.bind(layer, this.table),
    }));
  }

  /** Frees slots and table. */
  dispose(): void {
    this.#copier?.dispose();
    for (const { layer } of this.#layers) layer.destroy();
    this.table.destroy();
  }

  /** Writes back what {@linkcode KvPool.save} returned, into as many slots. */
  #load(ranges: readonly SlotRange[], data: ArrayBuffer): void {
    let from = 0;
    for (const { buffer, slotBytes } of this.buffers) {
      for (const { first, count } of ranges) {
        const bytes = count * slotBytes;
        this.#gpu.device.queue.writeBuffer(buffer.buffer, first * slotBytes, data, from, bytes);
        from += bytes;
      }
    }
  }

  #create(nSlots: number): BoundLayer {
    const layer = this.#layout.createLayer("kv", nSlots);
    const { read } = this.#options.addressing;
    return { layer, groups: read ? undefined : this.#layout.bind(layer, this.table) };
  }

  #writeRegionSize(slots: number): void {
    this.#slotsPerSequence = slots;
    this.#gpu.device.queue.writeBuffer(this.table.buffer, 0, Uint32Array.of(slots));
  }

  /**
   * Moves every sequence into a region of `slotsPerSequence` slots, layer by layer as a concatenation does: a layer's old
   * memory is freed before the next layer's new one is made.
   */
  #resize({ slotsPerSequence, nSequences, keep }: Move & { readonly kind: "resize" }): void {
    if (slotsPerSequence === 0) {
      for (const { layer } of this.#layers) layer.destroy();
      this.#layers = [];
      this.#slotsPerSequence = 0;
      return;
    }
    const { device } = this.#gpu;
    const before = this.#slotsPerSequence;
    if (this.#width === 0) this.#writeRegionSize(slotsPerSequence);
    for (let n = 0; n < this.layersKept; n++) {
      const old = this.#layers[n]?.layer, grown = this.#create(nSequences * slotsPerSequence);
      if (old && keep > 0) {
        const encoder = device.createCommandEncoder();
        for (let s = 0; s < nSequences; s++) {
          const from = { layer: old, first: s * before };
          this.#layout.copySlots(encoder, from, { layer: grown.layer, first: s * slotsPerSequence }, keep);
        }
        device.queue.submit([encoder.finish()]);
      }
      old?.destroy();
      this.#layers[n] = grown;
    }
  }
}

/** A word of the table's mirror that was never placed. */
const UNUSED = 0xffffffff;
