/**
 * Owns the bookkeeping of the paged KV cache: which blocks of a fixed pool each sequence holds, in which order, and
 * which of them it shares. It is host-only: it never sees the GPU, a token id or a request. It says which blocks to
 * copy and where a token's row goes, and its caller does the copying and the writing.
 *
 * Running out of blocks is a {@linkcode KvbenchError} and leaves everything as it was. A call that no correct
 * caller makes (a sequence that is not open, a negative count) is a `RangeError`.
 *
 * Block tables and copy-on-write follow PagedAttention (Kwon et al. 2023, sections 4.2 to 4.4,
 * https://arxiv.org/abs/2309.06180).
 */

import { KvbenchError, UsageError } from "../../base/errors.ts";
import type { PrefixKey } from "../prefix_keys.ts";
import { BlockPool } from "./block_pool.ts";
import { type BlockTable, BlockTables } from "./block_tables.ts";
import type { AppendResult, BlockCopy, BlockManagerOptions, BlockUsage, GroupShape } from "./block_types.ts";

export type * from "./block_types.ts";

/** The result of an append that needs no block. */
const NOTHING: AppendResult = { newBlocks: [], copies: [] };

/** Hands out KV blocks to sequences, and shares them by reference count. */
export class BlockManager {
  /** KV blocks in the pool. */
  readonly nBlocks: number;
  /** Tokens in a KV block. */
  readonly blockSize: number;

  readonly #pool: BlockPool;
  readonly #tables = new BlockTables();
  /** Tokens stored in the blocks in use; a shared block's count once. */
  #tokensUsed = 0;

  /**
   * Makes a pool whose blocks are all free.
   *
   * @throws {UsageError} If a size is not an integer of at least 1, or `order` is not a permutation of the
   * blocks.
   */
  constructor({ nBlocks, blockSize, order }: BlockManagerOptions) {
    if (!Number.isSafeInteger(nBlocks) || nBlocks < 1) {
      throw new UsageError(`Number of KV blocks is ${nBlocks}: expected an integer of at least 1`);
    }
    if (!Number.isSafeInteger(blockSize) || blockSize < 1) {
      throw new UsageError(`KV block size is ${blockSize} tokens: expected an integer of at least 1`);
    }
    this.nBlocks = nBlocks;
    this.blockSize = blockSize;
    this.#pool = new BlockPool(nBlocks, order);
  }

  /** Blocks that no sequence holds. */
  get nFree(): number {
    return this.#pool.nFree;
  }

  /** Blocks that at least one sequence holds. */
  get nUsed(): number {
    return this.nBlocks - this.#pool.nFree;
  }

  /** The open sequences, in the order in which they were opened. */
  get sequences(): number[] {
    return this.#tables.sequences;
  }

  /** Returns whether a sequence is open. */
  has(sequence: number): boolean {
    return this.#tables.has(sequence);
  }

  /** Counts the leading `keys` that name blocks whose contents are stored. */
  cachedBlocks(keys: readonly PrefixKey[]): number {
    let count = 0;
    while (count < keys.length && this.#pool.find(keys[count]!) !== undefined) count++;
    return count;
  }

  /**
   * Opens a sequence that holds `nTokens` tokens (0 is allowed) and no block beyond those that they fill. The blocks
   * of the leading tokens are shared with whoever has them where `prefix` names them, and taken otherwise.
   *
   * @param prefix Keys of the leading full blocks, all of which {@linkcode BlockManager.cachedBlocks} counts.
   * @throws {KvbenchError} If too few blocks are free. Nothing has changed then.
   * @throws {RangeError} If the sequence is open already, `nTokens` is not an integer of at least 0, or `prefix` is
   * longer than the tokens or names contents that are not at hand.
   */
  allocate(sequence: number, nTokens: number, prefix: readonly PrefixKey[] = []): void {
    this.#tables.expectUnopened(sequence);
    expectCount(nTokens, sequence);
    const found = this.#find(prefix, nTokens);
    this.#expectFree(this.#needed(nTokens, found), sequence);
    for (const block of found) {
      if (this.#pool.references(block) === 0) this.#tokensUsed += this.blockSize;
      this.#pool.share(block);
    }
    this.#tables.open(sequence, {
      table: found.concat(this.#take(Math.ceil(nTokens / this.blockSize) - found.length)),
      nTokens,
    });
    this.#tokensUsed += nTokens - found.length * this.blockSize;
  }

  /**
   * Returns whether {@linkcode allocate} with the same arguments would leave at least `watermark` blocks free.
   *
   * @throws {RangeError} As {@linkcode allocate} does.
   */
  canAllocate(nTokens: number, prefix: readonly PrefixKey[] = [], watermark = 0): boolean {
    return this.#needed(nTokens, this.#find(prefix, nTokens)) + watermark <= this.nFree;
  }

  /**
   * Grows a sequence by `nTokens` tokens. New blocks are taken at block boundaries only; a last block that
   * has room and is shared after a fork is replaced by a block of this sequence's own (copy-on-write).
   *
   * @throws {KvbenchError} If too few blocks are free. Nothing has changed then.
   * @throws {RangeError} If the sequence is not open, or `nTokens` is not an integer of at least 0.
   */
  append(sequence: number, nTokens = 1): AppendResult {
    const open = this.#tables.get(sequence);
    expectCount(nTokens, sequence);
    const result = this.#grow(open, nTokens);
    if (result !== undefined) return result;
    throw new KvbenchError(this.shortage(sequence, open.nTokens + nTokens));
  }

  /**
   * Says which blocks a sequence needs to hold `nTokens` tokens in all, and how many are free.
   *
   * @throws {RangeError} If the sequence is not open.
   */
  shortage(sequence: number, nTokens: number): string {
    const open = this.#tables.get(sequence);
    const nGrown = Math.ceil(nTokens / this.blockSize) - open.table.length;
    return this.#shortage(nGrown + Number(this.#copiesTail(open, nTokens - open.nTokens)), sequence);
  }

  /**
   * Does what {@linkcode append} does to make a sequence hold `nTokens` tokens in all, or nothing where it holds as
   * many already.
   *
   * @returns Undefined where too few blocks are free. Nothing has changed then.
   * @throws {RangeError} If the sequence is not open, or `nTokens` is not an integer of at least 0.
   */
  tryExtend(sequence: number, nTokens: number): AppendResult | undefined {
    const open = this.#tables.get(sequence);
    expectCount(nTokens, sequence);
    return nTokens <= open.nTokens ? NOTHING : this.#grow(open, nTokens - open.nTokens);
  }

  /**
   * Lets other sequences find the contents of a block under a key, even when this one is closed, until the block is
   * needed for something else.
   *
   * @param index Which of the sequence's blocks; it must be full, and is then never written again.
   * @throws {RangeError} If the sequence is not open or the block is not full.
   */
  publish(sequence: number, index: number, key: PrefixKey): void {
    const { table, nTokens } = this.#tables.get(sequence);
    if (!Number.isInteger(index) || index < 0 || (index + 1) * this.blockSize > nTokens) {
      throw new RangeError(
        `Block ${index} of sequence ${sequence} is not full: ${nTokens} tokens are stored`,
      );
    }
    this.#pool.publish(table[index]!, key);
  }

  /**
   * Opens `child` with the tokens of `parent`. The two share every block until one of them appends, so no
   * block is taken.
   *
   * @throws {RangeError} If `parent` is not open, or `child` is open already.
   */
  fork(parent: number, child: number): void {
    const { table, nTokens } = this.#tables.get(parent);
    this.#tables.expectUnopened(child);
    for (const block of table) this.#pool.share(block);
    this.#tables.open(child, { table: table.slice(), nTokens });
  }

  /**
   * Closes a sequence. Blocks that no other sequence holds are free, and those that the prefix cache does not keep
   * are the next to be handed out, in the order of the closed table.
   *
   * @throws {RangeError} If the sequence is not open.
   */
  free(sequence: number): void {
    const { table, nTokens } = this.#tables.close(sequence);
    for (let i = table.length - 1; i >= 0; i--) {
      const block = table[i]!;
      this.#pool.release(block);
      if (this.#pool.references(block) > 0) continue;
      this.#tokensUsed -= Math.min(this.blockSize, nTokens - i * this.blockSize);
    }
  }

  /**
   * The tokens and the sharing of several sequences, and the blocks that hold them in the order of the shape's
   * indices: what to save before the sequences are freed, so that {@linkcode BlockManager.restore} can bring them
   * back.
   *
   * @throws {RangeError} If a sequence is not open.
   */
  shapeOf(sequences: readonly number[]): { shape: GroupShape; blocks: number[] } {
    return this.#tables.shapeOf(sequences);
  }

  /**
   * Opens sequences that share as `shape` says, in new blocks.
   *
   * @returns The new blocks, in the order of the shape's indices.
   * @throws {KvbenchError} If too few blocks are free. Nothing has changed then.
   * @throws {RangeError} If a sequence is open already, or there is not one per member.
   */
  restore(sequences: readonly number[], { nBlocks, members }: GroupShape): number[] {
    if (sequences.length !== members.length) {
      throw new RangeError(
        `There are ${sequences.length} sequences: expected ${members.length}, one per member`,
      );
    }
    for (const sequence of sequences) this.#tables.expectUnopened(sequence);
    this.#expectFree(nBlocks, sequences[0] ?? NaN);
    const blocks = this.#take(nBlocks);
    const filled = new Set<number>();
    members.forEach(({ nTokens, table }, m) => {
      table.forEach((index, i) => {
        if (filled.has(index)) this.#pool.share(blocks[index]!);
        else this.#tokensUsed += Math.min(this.blockSize, nTokens - i * this.blockSize);
        filled.add(index);
      });
      this.#tables.open(sequences[m]!, { table: table.map((index) => blocks[index]!), nTokens });
    });
    return blocks;
  }

  /**
   * A sequence's physical blocks by logical block, [ceil(tokens / blockSize)]. This is a live view, which the
   * sequence's next append may change.
   *
   * @throws {RangeError} If the sequence is not open.
   */
  blockTable(sequence: number): readonly number[] {
    return this.#tables.get(sequence).table;
  }

  /**
   * The tokens that a sequence holds.
   *
   * @throws {RangeError} If the sequence is not open.
   */
  tokens(sequence: number): number {
    return this.#tables.get(sequence).nTokens;
  }

  /**
   * The pool row of a sequence's token: physical block * blockSize + offset in the block.
   *
   * @throws {RangeError} If the sequence is not open, or holds no token at `position`.
   */
  slot(sequence: number, position: number): number {
    const { table, nTokens } = this.#tables.get(sequence);
    if (!Number.isInteger(position) || position < 0 || position >= nTokens) {
      throw new RangeError(
        `Position ${position} of sequence ${sequence} has no slot: expected an integer from 0 to below ${nTokens}`,
      );
    }
    const offset = position % this.blockSize;
    return table[(position - offset) / this.blockSize]! * this.blockSize + offset;
  }

  /** Returns the pool's use, in blocks and tokens, in constant time. */
  usage(): BlockUsage {
    const blocks = this.nUsed;
    const tokensReserved = blocks * this.blockSize;
    return {
      blocks,
      tokensReserved,
      tokensUsed: this.#tokensUsed,
      tokensInternal: tokensReserved - this.#tokensUsed,
      blocksSaved: this.#tables.nEntries - blocks,
      blocksCached: this.#pool.nCached,
    };
  }

  /**
   * Checks every invariant in time proportional to the pool and the tables; meant for tests.
   *
   * @throws {Error} If a table's length does not fit its tokens, a table holds a block twice or one outside
   * the pool, a reference count is not the number of tables that hold the block, the owners of a block
   * disagree on its place or fill, a block is free and used or free twice, or one is neither, or a running total is
   * not what its parts add up to.
   */
  verify(): void {
    const { owners, tableBlocks, tokensUsed } = this.#tables.audit(this);
    for (const [block, { fill }] of owners) {
      if (fill < this.blockSize && this.#pool.isPublished(block)) {
        throw new Error(`KV block ${block} is published with ${fill} tokens: expected ${this.blockSize}`);
      }
    }
    this.#pool.verify(new Map(owners.entries().map(([block, { count }]) => [block, count])));
    if (tableBlocks !== this.#tables.nEntries || tokensUsed !== this.#tokensUsed) {
      throw new Error(
        `${this.#tokensUsed} tokens in ${this.#tables.nEntries} table entries are counted: ` +
          `expected ${tokensUsed} in ${tableBlocks}`,
      );
    }
  }

  #grow(open: BlockTable, nMore: number): AppendResult | undefined {
    const { table, nTokens } = open;
    const nGrown = Math.ceil((nTokens + nMore) / this.blockSize) - table.length;
    const copiesTail = this.#copiesTail(open, nMore);
    if (nGrown + Number(copiesTail) > this.#pool.nFree) return undefined;
    open.nTokens += nMore;
    this.#tokensUsed += nMore;
    if (nGrown === 0 && !copiesTail) return NOTHING;
    const copies: BlockCopy[] = [];
    if (copiesTail) {
      const from = table.at(-1)!, to = this.#pool.take();
      table[table.length - 1] = to;
      this.#pool.release(from);
      this.#tokensUsed += nTokens % this.blockSize;
      copies.push({ from, to });
    }
    const newBlocks = this.#take(nGrown);
    this.#tables.push(open, newBlocks);
    return { newBlocks, copies };
  }

  /** Returns whether an append must copy the last block first: it has room, and other owners. */
  #copiesTail({ table, nTokens }: BlockTable, nMore: number): boolean {
    if (nMore === 0 || nTokens % this.blockSize === 0) return false;
    return this.#pool.references(table[table.length - 1]!) > 1;
  }

  /** Takes free blocks for one table. The caller has checked that there are enough. */
  #take(nTaken: number): number[] {
    const taken: number[] = [];
    while (taken.length < nTaken) taken.push(this.#pool.take());
    return taken;
  }

  /** The blocks that `nTokens` tokens take off the free ones, where `found` holds the first of them. */
  #needed(nTokens: number, found: readonly number[]): number {
    const nShared = found.reduce((sum, block) => sum + Number(this.#pool.references(block) > 0), 0);
    return Math.ceil(nTokens / this.blockSize) - nShared;
  }

  /** The blocks that `prefix` names. */
  #find(prefix: readonly PrefixKey[], nTokens: number): number[] {
    if (prefix.length * this.blockSize > nTokens) {
      throw new RangeError(`A prefix of ${prefix.length} blocks is longer than ${nTokens} tokens`);
    }
    return prefix.map((key, i) => {
      const block = this.#pool.find(key);
      if (block === undefined) throw new RangeError(`Block ${i} of the prefix is not at hand`);
      return block;
    });
  }

  #expectFree(nNeeded: number, sequence: number): void {
    if (nNeeded > this.nFree) throw new KvbenchError(this.#shortage(nNeeded, sequence));
  }

  #shortage(nNeeded: number, sequence: number): string {
    return `Cannot allocate ${nNeeded} KV ${nNeeded === 1 ? "block" : "blocks"} for sequence ${sequence}: ` +
      `${this.nFree} of ${this.nBlocks} ${this.nFree === 1 ? "is" : "are"} free`;
  }
}

function expectCount(nTokens: number, sequence: number): void {
  if (Number.isSafeInteger(nTokens) && nTokens >= 0) return;
  throw new RangeError(
    `Number of tokens for sequence ${sequence} is ${nTokens}: expected an integer of at least 0`,
  );
}
