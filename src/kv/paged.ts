/**
 * `paged`: PagedAttention. K and V live in fixed-size blocks of one pool; a sequence takes blocks as it grows, and
 * a block table on the GPU says where they are (Kwon et al., SOSP 2023). Owns the pool and the table's GPU copy;
 * which block is whose is the block manager's business.
 *
 * @module
 */
import { BindLayout } from "../gpu/bind_layout.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { LedgerBuffer } from "../gpu/ledger.ts";
import { KV_FORMATS, PAGED } from "./files.ts";
import { BlockManager } from "./block_manager.ts";
import { kvRowBytes, type KvShape, type KvStrategy, type KvUsage } from "./strategy.ts";

/** How the pool is cut. */
export interface PagedOptions {
  /** Tokens per block. */
  readonly blockSize: number;
  /** Tokens that the whole pool holds; rounded up to whole blocks. */
  readonly poolTokens: number;
  /** Order in which free blocks are handed out at first. */
  readonly order?: readonly number[];
}

/** Keeps everything, in blocks. */
export class Paged implements KvStrategy {
  readonly name = "paged";
  readonly source: KvStrategy["source"];
  readonly #gpu: Gpu;
  readonly #shape: KvShape;
  readonly #options: PagedOptions;
  readonly #nBlocks: number;
  readonly #maxBlocks: number;
  readonly #pool: LedgerBuffer[]; // by layer: [nBlocks * blockSize] rows of kvRowBytes
  readonly #table: LedgerBuffer; // [nSequences, maxBlocks] u32
  readonly #groups: GPUBindGroup[];
  readonly #committed = new Map<number, number>(); // tokens by sequence
  #blocks: BlockManager;

  /**
   * @throws {UsageError} If the block size is not a positive whole number.
   * @throws {KvbenchError} If a layer's pool is larger than a buffer may be.
   */
  constructor(gpu: Gpu, shape: KvShape, options: PagedOptions) {
    this.#gpu = gpu;
    this.#shape = shape;
    this.#options = options;
    this.#nBlocks = Math.ceil(options.poolTokens / options.blockSize);
    this.#blocks = this.#newBlocks();
    this.#maxBlocks = Math.ceil(shape.nCtx / options.blockSize);
    const layout = new BindLayout(gpu.device, "kv paged", { kv: "readWrite", blockTable: "read" });
    this.source = {
      files: [PAGED, KV_FORMATS[shape.dtype]],
      layout,
      overrides: { BLOCK_SIZE: options.blockSize, MAX_BLOCKS: this.#maxBlocks },
    };
    const bytes = this.#nBlocks * options.blockSize * kvRowBytes(shape);
    this.#table = gpu.ledger.createBuffer({
      label: "block table",
      category: "tables",
      bytes: shape.nSequences * this.#maxBlocks * 4,
    });
    this.#pool = Array.from(
      { length: shape.nLayer },
      () => gpu.ledger.createBuffer({ label: "kv pool", category: "kv", bytes }),
    );
    this.#groups = this.#pool.map((kv) => layout.bind({ kv, blockTable: this.#table }));
  }

  /** All that the block manager holds of the sequence. */
  cached(sequence: number): number {
    return this.#committed.get(sequence) ?? 0;
  }

  /** Takes the blocks that `length` tokens need and writes their numbers to the table on the GPU. */
  reserve(sequence: number, length: number): void {
    const open = this.#blocks.sequences.includes(sequence);
    const before = open ? this.#blocks.blockTable(sequence).length : 0;
    if (!open) this.#blocks.allocate(sequence, length);
    else if (length > this.#blocks.tokens(sequence)) {
      this.#blocks.append(sequence, length - this.#blocks.tokens(sequence));
    }
    const added = this.#blocks.blockTable(sequence).slice(before);
    if (added.length === 0) return;
    const offset = (sequence * this.#maxBlocks + before) * 4;
    this.#gpu.device.queue.writeBuffer(this.#table.buffer, offset, Uint32Array.from(added));
  }

  /** Notes what is stored. */
  commit(sequence: number, length: number): void {
    this.#committed.set(sequence, length);
  }

  /** A layer's pool, with the table. */
  bindGroup(layer: number): GPUBindGroup {
    return this.#groups[layer]!;
  }

  /** What belongs to sequences is whole blocks; the rest of the pool is free for others. */
  usage(): KvUsage {
    const { tokensReserved, tokensUsed } = this.#blocks.usage();
    const bytesPerToken = this.#shape.nLayer * kvRowBytes(this.#shape);
    return {
      tokens: tokensUsed,
      layersKept: this.#shape.nLayer,
      usedBytes: tokensUsed * bytesPerToken,
      reservedBytes: tokensReserved * bytesPerToken,
      allocatedBytes: this.#pool.reduce((sum, { bytes }) => sum + bytes, 0),
      externalBytes: 0,
    };
  }

  /** Gives all blocks back to the pool. */
  reset(): void {
    this.#committed.clear();
    this.#blocks = this.#newBlocks();
  }

  /** Frees the pool and the table. */
  dispose(): void {
    for (const buffer of [...this.#pool, this.#table]) buffer.destroy();
  }

  #newBlocks(): BlockManager {
    const { blockSize, order } = this.#options;
    return new BlockManager({ nBlocks: this.#nBlocks, blockSize, ...(order && { order }) });
  }
}
