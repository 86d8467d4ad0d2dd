/**
 * `paged`: PagedAttention. K and V live in fixed-size blocks of one pool; a sequence takes blocks as it grows, and
 * a block table on the GPU says where they are (Kwon et al., SOSP 2023). Joins the pool on the GPU with a block manager.
 *
 * @module
 */
import type { Gpu } from "../gpu/gpu.ts";
import { BlockManager } from "./block_manager.ts";
import { SlotPool } from "./slot_pool.ts";
import { type KvGroups, kvRowBytes, type KvShape, type KvStrategy, type KvUsage } from "./strategy.ts";

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
  readonly #shape: KvShape;
  readonly #options: PagedOptions;
  readonly #nBlocks: number;
  readonly #pool: SlotPool;
  readonly #committed = new Map<number, number>(); // tokens by sequence
  #blocks: BlockManager;

  /**
   * @throws {UsageError} If the block size is not a positive whole number.
   * @throws {KvbenchError} If a layer's pool is larger than the device allows.
   */
  constructor(gpu: Gpu, shape: KvShape, options: PagedOptions) {
    const { blockSize, poolTokens } = options;
    this.#shape = shape;
    this.#options = options;
    this.#nBlocks = Math.ceil(poolTokens / blockSize);
    this.#blocks = this.#newBlocks();
    this.#pool = new SlotPool(gpu, shape, {
      nSlots: this.#nBlocks * blockSize,
      layersKept: shape.nLayer,
      blockSize,
    });
    this.source = this.#pool.source;
  }

  /** As the shape says. */
  get dtype(): KvShape["dtype"] {
    return this.#shape.dtype;
  }

  /** All that the block manager holds of the sequence. */
  cached(sequence: number): number {
    return this.#committed.get(sequence) ?? 0;
  }

  /** Takes the blocks that `length` tokens need and writes their numbers to the table on the GPU. */
  reserve(sequence: number, length: number, submit: () => void): void {
    if (!this.#blocks.has(sequence)) this.#blocks.allocate(sequence, length);
    else if (length > this.#blocks.tokens(sequence)) {
      this.#blocks.append(sequence, length - this.#blocks.tokens(sequence));
    }
    this.#pool.place(sequence, this.#blocks.blockTable(sequence), submit);
  }

  /** Notes what is stored. */
  commit(sequence: number, length: number): void {
    this.#committed.set(sequence, length);
  }

  /** A layer's pool, with the table. */
  bindGroups(layer: number): KvGroups {
    return this.#pool.bindGroups(layer);
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
      allocatedBytes: this.#pool.allocatedBytes,
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
    this.#pool.dispose();
  }

  #newBlocks(): BlockManager {
    const { blockSize, order } = this.#options;
    return new BlockManager({ nBlocks: this.#nBlocks, blockSize, ...(order && { order }) });
  }
}
