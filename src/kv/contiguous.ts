/**
 * Contiguous regions of K and V on the GPU: one buffer or texture per kept layer, each with one region per sequence.
 * The memory of `no-cache` (one layer's scratch) and of `kv-cache`; owns the layers, not the policy.
 *
 * @module
 */
import type { Gpu } from "../gpu/gpu.ts";
import type { LedgerBuffer } from "../gpu/ledger.ts";
import { CONTIGUOUS } from "./files.ts";
import type { KvLayer } from "./layer.ts";
import { KvLayout } from "./layout.ts";
import type { KvGroups, KvShape, KvSource, KvUsage } from "./shape.ts";

const UNIFORM = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;

/** How much memory there is, and in what order. */
export interface RegionOptions {
  /** Layers that have memory of their own; with 1, all layers share it. */
  readonly layersKept: number;
  /** Slots that a sequence may come to have. */
  readonly mostTokens: number;
  /** Slots of a group; regions whose contents are moved have groups of one. */
  readonly slotGroup: number;
}

/** One region of `tokensPerSequence` slots per sequence, in each kept layer. */
export class ContiguousRegions {
  readonly layersKept: number;
  readonly #gpu: Gpu;
  readonly #shape: KvShape;
  readonly #layout: KvLayout;
  readonly #region: LedgerBuffer; // u32 tokens per sequence
  #layers: { layer: KvLayer; groups: KvGroups }[] = [];
  #tokensPerSequence = 0;

  constructor(gpu: Gpu, shape: KvShape, { layersKept, mostTokens, slotGroup }: RegionOptions) {
    this.#gpu = gpu;
    this.#shape = shape;
    this.layersKept = layersKept;
    const most = Math.max(1, shape.nSequences * mostTokens);
    this.#layout = new KvLayout(gpu, shape, { file: CONTIGUOUS, table: "uniform", most, group: slotGroup });
    this.#region = gpu.ledger.createBuffer({
      label: "kv table",
      category: "tables",
      bytes: 4,
      usage: UNIFORM,
    });
  }

  /** What kernels that touch K and V are joined with. */
  get source(): KvSource {
    return this.#layout.source;
  }

  /** Slots of each sequence. */
  get tokensPerSequence(): number {
    return this.#tokensPerSequence;
  }

  /** Bytes of all slots, in all kept layers. */
  get allocatedBytes(): number {
    return this.#layers.reduce((sum, { layer }) => sum + layer.bytes, 0);
  }

  /** What holds a layer's K and V. */
  bindGroups(layer: number): KvGroups {
    return this.#layers[layer % this.layersKept]!.groups;
  }

  /**
   * Moves every sequence into a region of `tokensPerSequence` slots, layer by layer as a concatenation does:
   * a layer's old memory is freed before the next layer's new one is made.
   *
   * @param keep Leading slots of each sequence that are copied.
   */
  resize(tokensPerSequence: number, keep: number): void {
    const { device } = this.#gpu;
    const nSlots = Math.max(1, this.#shape.nSequences * tokensPerSequence);
    device.queue.writeBuffer(this.#region.buffer, 0, Uint32Array.of(tokensPerSequence));
    for (let n = 0; n < this.layersKept; n++) {
      const layer = this.#layout.createLayer("kv", nSlots);
      const old = this.#layers[n]?.layer;
      if (old && keep > 0) {
        const encoder = device.createCommandEncoder();
        for (let s = 0; s < this.#shape.nSequences; s++) {
          const from = { layer: old, first: s * this.#tokensPerSequence };
          this.#layout.copySlots(encoder, from, { layer, first: s * tokensPerSequence }, keep);
        }
        device.queue.submit([encoder.finish()]);
      }
      old?.destroy();
      this.#layers[n] = { layer, groups: this.#layout.bind(layer, this.#region) };
    }
    this.#tokensPerSequence = tokensPerSequence;
  }

  /** What sequences of these lengths, in tokens, use of the regions: everything allocated belongs to sequences. */
  usage(lengths: readonly number[]): KvUsage {
    const tokens = lengths.reduce((sum, length) => sum + length, 0);
    return {
      tokens,
      layersKept: this.layersKept,
      usedBytes: tokens * this.layersKept * this.#layout.slotBytes,
      reservedBytes: this.allocatedBytes,
      allocatedBytes: this.allocatedBytes,
      externalBytes: 0,
    };
  }

  /** Frees the regions and keeps the rest. */
  clear(): void {
    for (const { layer } of this.#layers) layer.destroy();
    this.#layers = [];
    this.#tokensPerSequence = 0;
  }

  /** Frees everything. */
  dispose(): void {
    this.clear();
    this.#region.destroy();
  }
}
