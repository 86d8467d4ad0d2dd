/**
 * K/V memory in blocks: a policy over a {@linkcode BlockManager} and over host memory that blocks are swapped to.
 */
import { type Move, Moves, type SlotRange, type Swapped } from "../moves.ts";
import type { Admission, KvPolicy, KvTraits, KvUsage, Lengths } from "../policy.ts";
import type { PrefixKey } from "../prefix_keys.ts";
import { BlockManager } from "./block_manager.ts";
import type { GroupShape } from "./block_types.ts";

/** Everything is kept and shared. */
export const PAGED_TRAITS: KvTraits = { keeps: "all", exact: true, shares: true, preemptible: true };

/** The pool, and what is kept free of it. */
interface PagedOptions {
  /** Blocks in the pool. */
  readonly nBlocks: number;
  /** Tokens in a block. */
  readonly blockSize: number;
  /** Blocks that an admission leaves free, so that running sequences can grow for a while. Default: 1 %. */
  readonly watermark?: number;
  /** Blocks that host memory has room for. Default: 0. */
  readonly swapBlocks?: number;
  /** The blocks in the order in which they are first handed out. Default: ascending. */
  readonly order?: readonly number[];
}

/** Blocks on demand, shared where sequences have the same tokens. */
export class PagedPolicy implements KvPolicy {
  readonly traits = PAGED_TRAITS;
  readonly maxChunk = Infinity;
  readonly maxSequences = Infinity;
  readonly blockSize: number;
  /** The block tables. */
  readonly blocks: BlockManager;
  readonly #watermark: number;
  readonly #moves = new Moves();
  readonly #swapped = new Map<
    number,
    { readonly shape: GroupShape; readonly sequences: readonly number[] }
  >();
  #swapFree: number;
  #nextSwap = 0;

  /**
   * Makes a pool whose blocks are all free.
   *
   * @throws {UsageError} If a size is not an integer of at least 1.
   */
  constructor({ nBlocks, blockSize, watermark, swapBlocks = 0, order }: PagedOptions) {
    this.blocks = new BlockManager({ nBlocks, blockSize, ...(order && { order }) });
    this.blockSize = blockSize;
    this.#watermark = watermark ?? Math.ceil(nBlocks / 100);
    this.#swapFree = swapBlocks;
  }

  /** The slots of all blocks. */
  get nSlots(): number {
    return this.blocks.nBlocks * this.blockSize;
  }

  /** The room in free blocks. */
  get nFree(): number {
    return this.blocks.nFree * this.blockSize;
  }

  /** Hands over the moves since the last time. */
  takeMoves(): readonly Move[] {
    return this.#moves.take();
  }

  /** Names the blocks that the request may come to need and those there are. */
  refusal(request: Lengths): string | undefined {
    const { promptTokens, newTokens, continuations = 1 } = request;
    const { blockSize, blocks: { nBlocks } } = this;
    // The last token's K and V are never stored. Full blocks of the prompt are shared by all continuations.
    const whole = Math.ceil((promptTokens + newTokens - 1) / blockSize);
    const shared = continuations > 1 ? Math.floor(promptTokens / blockSize) : 0;
    const needed = shared + continuations * (whole - shared);
    if (needed <= nBlocks) return undefined;
    return `it may need ${needed} KV blocks of ${blockSize} tokens, and there are ${nBlocks}`;
  }

  /** Counts the leading keys whose blocks are stored. */
  cachedBlocks(keys: readonly PrefixKey[]): number {
    return this.blocks.cachedBlocks(keys);
  }

  /** Takes blocks for the first step, if there are enough for all known tokens and the watermark stays. */
  admit({ sequences, nTokens, nKnown, prefix, alone }: Admission): boolean {
    if (!this.blocks.canAllocate(nKnown, prefix, alone ? 0 : this.#watermark)) return false;
    this.blocks.allocate(sequences[0]!, nTokens, prefix);
    return true;
  }

  /** Blocks need not lie together. */
  isFragmented(): boolean {
    return false;
  }

  /** Takes blocks, and writes down the copies that shared ones need. */
  grow(sequence: number, nTokens: number): boolean {
    const extended = this.blocks.tryExtend(sequence, nTokens);
    if (extended === undefined) return false;
    const { blockSize } = this;
    for (const { from, to } of extended.copies) {
      this.#moves.push({ kind: "copy", from: from * blockSize, to: to * blockSize, count: blockSize });
    }
    return true;
  }

  /** Names the blocks that are missing. */
  shortage(sequence: number, nTokens: number): string {
    return this.blocks.shortage(sequence, nTokens);
  }

  /** Returns the tokens that the sequence's blocks hold. */
  firstToCompute(sequence: number): number {
    return this.blocks.tokens(sequence);
  }

  /** Returns `length`: all tokens are stored. */
  storedTokens(length: number): number {
    return length;
  }

  /** Returns `length`: a row attends to all tokens up to its own. */
  entries(length: number): number {
    return length;
  }

  /** Its block table. */
  place(sequence: number): readonly number[] {
    return this.blocks.blockTable(sequence);
  }

  /** Shares every block; what the child has held is free. */
  fork(parent: number, child: number): void {
    this.release(child);
    this.blocks.fork(parent, child);
  }

  /** Lets the prefix cache find a full block. */
  publish(sequence: number, index: number, key: PrefixKey): void {
    this.blocks.publish(sequence, index, key);
  }

  /** Frees the blocks that no other sequence holds. */
  release(sequence: number): void {
    if (this.blocks.has(sequence)) this.blocks.free(sequence);
  }

  /** Saves each block once, however many of the sequences share it. */
  swapOut(sequences: readonly number[]): Swapped | undefined {
    const { shape, blocks } = this.blocks.shapeOf(sequences);
    if (shape.nBlocks > this.#swapFree) return undefined;
    this.#swapFree -= shape.nBlocks;
    const swapped = { id: this.#nextSwap++, from: blocks.map((block) => this.#range(block)) };
    this.#swapped.set(swapped.id, { shape, sequences });
    for (const sequence of sequences) this.blocks.free(sequence);
    this.#moves.push({ kind: "out", swapped });
    return swapped;
  }

  /** Takes as many blocks as were saved, if one more for each sequence and the watermark stay. */
  swapIn(swapped: Swapped, alone: boolean): boolean {
    const { shape, sequences } = this.#swapped.get(swapped.id)!;
    const spare = alone ? 0 : sequences.length + this.#watermark;
    if (shape.nBlocks + spare > this.blocks.nFree) return false;
    const to = this.blocks.restore(sequences, shape).map((block) => this.#range(block));
    this.#moves.push({ kind: "in", swapped, to });
    this.#forget(swapped, shape);
    return true;
  }

  /** Gives up what was swapped out. */
  drop(swapped: Swapped): void {
    this.#forget(swapped, this.#swapped.get(swapped.id)!.shape);
    this.#moves.push({ kind: "drop", swapped });
  }

  /** A block's unfilled tail is internal fragmentation, whether it will be filled or not. */
  usage(): KvUsage {
    const { tokensUsed, tokensInternal, blocksSaved } = this.blocks.usage();
    return {
      capacity: this.nSlots,
      stored: tokensUsed,
      later: 0,
      internal: tokensInternal,
      free: this.nFree,
      saved: blocksSaved * this.blockSize,
    };
  }

  /** Checks the block manager. */
  verify(): void {
    this.blocks.verify();
  }

  #range(block: number): SlotRange {
    return { first: block * this.blockSize, count: this.blockSize };
  }

  #forget(swapped: Swapped, shape: GroupShape): void {
    this.#swapped.delete(swapped.id);
    this.#swapFree += shape.nBlocks;
  }
}
