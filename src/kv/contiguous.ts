/**
 * Contiguous regions of K and V on the GPU: one buffer per kept layer, each with one region per sequence. The
 * memory of `no-cache` (one layer's scratch) and of `kv-cache`; owns buffers and bind groups, not the policy.
 *
 * @module
 */
import { BindLayout } from "../gpu/bind_layout.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { LedgerBuffer } from "../gpu/ledger.ts";
import { CONTIGUOUS, KV_FORMATS, KV_GROUPS } from "./files.ts";
import { kvRowBytes, type KvShape, type KvSource, type KvUsage } from "./strategy.ts";

const UNIFORM = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;

/** One region of `tokensPerSequence` slots per sequence, in each kept layer. */
export class ContiguousRegions {
  readonly source: KvSource;
  readonly layersKept: number;
  readonly #gpu: Gpu;
  readonly #shape: KvShape;
  readonly #layout: BindLayout<"kv" | "region">;
  readonly #region: LedgerBuffer; // u32 tokens per sequence
  #layers: { buffer: LedgerBuffer; group: GPUBindGroup }[] = [];
  #tokensPerSequence = 0;

  /**
   * @param layersKept Layers that have memory of their own; with 1, all layers share it.
   * @param slotGroup Slots of a group; regions whose contents are moved have groups of one.
   */
  constructor(gpu: Gpu, shape: KvShape, layersKept: number, slotGroup: number) {
    this.#gpu = gpu;
    this.#shape = shape;
    this.layersKept = layersKept;
    this.#layout = new BindLayout(gpu.device, "kv contiguous", { kv: "readWrite", region: "uniform" });
    this.source = {
      files: [CONTIGUOUS, KV_GROUPS, KV_FORMATS[shape.dtype]],
      layout: this.#layout,
      overrides: { SLOT_GROUP: slotGroup },
    };
    this.#region = gpu.ledger.createBuffer({
      label: "kv region",
      category: "tables",
      bytes: 4,
      usage: UNIFORM,
    });
  }

  /** Slots of each sequence. */
  get tokensPerSequence(): number {
    return this.#tokensPerSequence;
  }

  /** Bytes of all slots, in all kept layers. */
  get allocatedBytes(): number {
    return this.#layers.reduce((sum, { buffer }) => sum + buffer.bytes, 0);
  }

  /** The bind group of a layer. */
  bindGroup(layer: number): GPUBindGroup {
    return this.#layers[layer % this.layersKept]!.group;
  }

  /**
   * Moves every sequence into a region of `tokensPerSequence` slots, layer by layer as a concatenation does:
   * a layer's old buffer is freed before the next layer's new one is made.
   *
   * @param keep Leading slots of each sequence that are copied.
   */
  resize(tokensPerSequence: number, keep: number): void {
    const { device, ledger } = this.#gpu;
    const row = kvRowBytes(this.#shape);
    const bytes = Math.max(1, this.#shape.nSequences * tokensPerSequence) * row;
    device.queue.writeBuffer(this.#region.buffer, 0, Uint32Array.of(tokensPerSequence));
    for (let layer = 0; layer < this.layersKept; layer++) {
      const buffer = ledger.createBuffer({ label: "kv", category: "kv", bytes });
      const old = this.#layers[layer];
      if (old && keep > 0) {
        const encoder = device.createCommandEncoder();
        for (let s = 0; s < this.#shape.nSequences; s++) {
          const from = s * this.#tokensPerSequence * row;
          encoder.copyBufferToBuffer(
            old.buffer.buffer,
            from,
            buffer.buffer,
            s * tokensPerSequence * row,
            keep * row,
          );
        }
        device.queue.submit([encoder.finish()]);
      }
      old?.buffer.destroy();
      this.#layers[layer] = { buffer, group: this.#layout.bind({ kv: buffer, region: this.#region }) };
    }
    this.#tokensPerSequence = tokensPerSequence;
  }

  /** What sequences of these lengths, in tokens, use of the regions: everything allocated belongs to sequences. */
  usage(lengths: readonly number[]): KvUsage {
    const tokens = lengths.reduce((sum, length) => sum + length, 0);
    return {
      tokens,
      layersKept: this.layersKept,
      usedBytes: tokens * this.layersKept * kvRowBytes(this.#shape),
      reservedBytes: this.allocatedBytes,
      allocatedBytes: this.allocatedBytes,
      externalBytes: 0,
    };
  }

  /** Frees the regions and keeps the rest. */
  clear(): void {
    for (const { buffer } of this.#layers) buffer.destroy();
    this.#layers = [];
    this.#tokensPerSequence = 0;
  }

  /** Frees everything. */
  dispose(): void {
    this.clear();
    this.#region.destroy();
  }
}
