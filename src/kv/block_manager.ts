/**
 * Owns the bookkeeping of the paged KV cache: which of a fixed pool of KV blocks each sequence holds, in
 * which order, and how many sequences share a block. It is host-only: it never sees the GPU, a token id or a
 * request. It says which blocks to copy and where a token's row goes, and its caller does the copying and the
 * writing.
 *
 * Running out of blocks is a {@linkcode KvbenchError} and leaves everything as it was. A call that no correct
 * caller makes (a sequence that is not open, a negative count) is a `RangeError`.
 *
 * Block tables, copy-on-write and reference counts follow PagedAttention (Kwon et al. 2023, sections 4.2 to
 * 4.4, https://arxiv.org/abs/2309.06180).
 *
 * @module
 */

import { KvbenchError, UsageError } from "../errors.ts";

/** The pool that a {@linkcode BlockManager} hands out. */
export interface BlockManagerOptions {
  /** KV blocks in the pool, at least 1. */
  nBlocks: number;
  /** Tokens in a KV block, at least 1. */
  blockSize: number;
  /** The blocks 0 to `nBlocks - 1` in the order in which they are first handed out; ascending if left out. */
  order?: readonly number[];
}

/** A KV block whose contents must be copied, all layers, K and V, into another one. */
export interface BlockCopy {
  /** The physical block to read. */
  from: number;
  /** The physical block to write. */
  to: number;
}

/** What {@linkcode BlockManager.append} did to a block table. */
export interface AppendResult {
  /** The physical blocks added at the end of the table, in table order. The target of a copy is not among them. */
  newBlocks: number[];
  /**
   * The copies to carry out, in the order of the calls that returned them and before any later write to the
   * pool. The table holds `to` in place of `from` already.
   */
  copies: BlockCopy[];
}

/** How full the pool is. A block shared by several sequences, and each token in it, counts once. */
export interface BlockUsage {
  /** Blocks held by at least one sequence. */
  blocks: number;
  /** Tokens that these blocks have room for: `blocks * blockSize`. */
  tokensReserved: number;
  /** Tokens stored in them. */
  tokensUsed: number;
  /** Internal fragmentation in tokens: the unfilled tails of last blocks, `tokensReserved - tokensUsed`. */
  tokensInternal: number;
}

interface OpenSequence {
  /** Physical block by logical block, [ceil(nTokens / blockSize)]. */
  table: number[];
  nTokens: number;
}

/** What an append takes from the free list. */
interface Demand {
  /** Whether the last block has room and other owners, so that this sequence needs its own copy. */
  copiesTail: boolean;
  /** Blocks added to the table. */
  nGrown: number;
  /** Blocks taken in all. */
  nBlocks: number;
}

/** Hands out KV blocks to sequences, and shares them by reference count. */
export class BlockManager {
  /** KV blocks in the pool. */
  readonly nBlocks: number;
  /** Tokens in a KV block. */
  readonly blockSize: number;

  /** A stack: the next block to hand out is the last one. */
  readonly #free: number[];
  /** Block tables that hold a block, [nBlocks]. */
  readonly #references: Uint32Array;
  readonly #sequences = new Map<number, OpenSequence>();

  /**
   * Makes a pool whose blocks are all free.
   *
   * @throws {UsageError} If a size is not an integer of at least 1, or `order` is not a permutation of the
   * blocks.
   */
  constructor({ nBlocks, blockSize, order }: BlockManagerOptions) {
    if (!Number.isSafeInteger(nBlocks) || nBlocks < 1) {
      throw new UsageError(`Number of KV blocks is ${nBlocks}: wanted an integer of at least 1`);
    }
    if (!Number.isSafeInteger(blockSize) || blockSize < 1) {
      throw new UsageError(`KV block size is ${blockSize} tokens: wanted an integer of at least 1`);
    }
    if (order !== undefined) checkOrder(order, nBlocks);
    this.nBlocks = nBlocks;
    this.blockSize = blockSize;
    this.#free = (order?.slice() ?? Array.from({ length: nBlocks }, (_, block) => block)).reverse();
    this.#references = new Uint32Array(nBlocks);
  }

  /** Blocks that no sequence holds. */
  get nFree(): number {
    return this.#free.length;
  }

  /** Blocks that at least one sequence holds. */
  get nUsed(): number {
    return this.nBlocks - this.#free.length;
  }

  /** The open sequences, in the order in which they were opened. */
  get sequences(): number[] {
    return [...this.#sequences.keys()];
  }

  /**
   * Opens a sequence that holds `nTokens` tokens (0 is allowed) and no block beyond those that they fill.
   *
   * @throws {KvbenchError} If too few blocks are free. Nothing has changed then.
   * @throws {RangeError} If the sequence is open already, or `nTokens` is not an integer of at least 0.
   */
  allocate(sequence: number, nTokens: number): void {
    this.#expectUnopened(sequence);
    expectCount(nTokens, sequence);
    const nNeeded = Math.ceil(nTokens / this.blockSize);
    this.#expectFree(nNeeded, sequence);
    this.#sequences.set(sequence, { table: this.#take(nNeeded), nTokens });
  }

  /**
   * Grows a sequence by `nTokens` tokens. New blocks are taken at block boundaries only; a last block that
   * has room and is shared after a fork is replaced by a block of this sequence's own (copy-on-write).
   *
   * @throws {KvbenchError} If too few blocks are free. Nothing has changed then.
   * @throws {RangeError} If the sequence is not open, or `nTokens` is not an integer of at least 0.
   */
  append(sequence: number, nTokens = 1): AppendResult {
    const open = this.#get(sequence);
    expectCount(nTokens, sequence);
    const demand = this.#demand(open, nTokens);
    this.#expectFree(demand.nBlocks, sequence);
    const copies: BlockCopy[] = [];
    if (demand.copiesTail) {
      const from = open.table.pop()!;
      const own = this.#take(1);
      open.table.push(...own);
      this.#release(from);
      copies.push({ from, to: own[0]! });
    }
    const newBlocks = this.#take(demand.nGrown);
    for (const block of newBlocks) open.table.push(block);
    open.nTokens += nTokens;
    return { newBlocks, copies };
  }

  /**
   * Whether {@linkcode append} with the same arguments would find enough free blocks now. Two sequences that
   * can each append may not both be able to.
   *
   * @throws {RangeError} If the sequence is not open, or `nTokens` is not an integer of at least 0.
   */
  canAppend(sequence: number, nTokens = 1): boolean {
    const open = this.#get(sequence);
    expectCount(nTokens, sequence);
    return this.#demand(open, nTokens).nBlocks <= this.nFree;
  }

  /**
   * Opens `child` with the tokens of `parent`. The two share every block until one of them appends, so no
   * block is taken.
   *
   * @throws {RangeError} If `parent` is not open, or `child` is open already.
   */
  fork(parent: number, child: number): void {
    const { table, nTokens } = this.#get(parent);
    this.#expectUnopened(child);
    for (const block of table) this.#references[block]! += 1;
    this.#sequences.set(child, { table: table.slice(), nTokens });
  }

  /**
   * Closes a sequence. Blocks that no other sequence holds are free, and are the next to be handed out, in
   * the order of the closed table.
   *
   * @throws {RangeError} If the sequence is not open.
   */
  free(sequence: number): void {
    const { table } = this.#get(sequence);
    this.#sequences.delete(sequence);
    for (const block of table.toReversed()) this.#release(block);
  }

  /**
   * A sequence's physical blocks by logical block, [ceil(tokens / blockSize)]. This is a live view, which the
   * sequence's next append may change.
   *
   * @throws {RangeError} If the sequence is not open.
   */
  blockTable(sequence: number): readonly number[] {
    return this.#get(sequence).table;
  }

  /**
   * The tokens that a sequence holds.
   *
   * @throws {RangeError} If the sequence is not open.
   */
  tokens(sequence: number): number {
    return this.#get(sequence).nTokens;
  }

  /**
   * The pool row of a sequence's token: physical block * blockSize + offset in the block.
   *
   * @throws {RangeError} If the sequence is not open, or holds no token at `position`.
   */
  slot(sequence: number, position: number): number {
    const { table, nTokens } = this.#get(sequence);
    if (!Number.isInteger(position) || position < 0 || position >= nTokens) {
      throw new RangeError(
        `Position ${position} of sequence ${sequence} has no slot: wanted an integer from 0 to below ${nTokens}`,
      );
    }
    const offset = position % this.blockSize;
    return table[(position - offset) / this.blockSize]! * this.blockSize + offset;
  }

  /** How full the pool is, in blocks and tokens. */
  usage(): BlockUsage {
    // Every owner of a partly filled block has it last and filled alike, since an append copies it first.
    const tails = new Set<number>();
    let tokensInternal = 0;
    for (const { table, nTokens } of this.#sequences.values()) {
      const tail = table.at(-1);
      if (tail === undefined || tails.has(tail)) continue;
      tails.add(tail);
      tokensInternal += table.length * this.blockSize - nTokens;
    }
    const blocks = this.nUsed;
    const tokensReserved = blocks * this.blockSize;
    return { blocks, tokensReserved, tokensUsed: tokensReserved - tokensInternal, tokensInternal };
  }

  /**
   * Checks every invariant in time proportional to the pool and the tables; meant for tests.
   *
   * @throws {Error} If a table's length does not fit its tokens, a table holds a block twice or one outside
   * the pool, a reference count is not the number of tables that hold the block, the owners of a block
   * disagree on its place or fill, a block is free and used or free twice, or one is neither.
   */
  verify(): void {
    const owners = new Map<number, { count: number; index: number; fill: number }>();
    for (const [sequence, { table, nTokens }] of this.#sequences) {
      const length = Math.ceil(nTokens / this.blockSize);
      if (table.length !== length) {
        throw new Error(`Block table of sequence ${sequence} has length ${table.length}: wanted ${length}`);
      }
      if (new Set(table).size !== table.length) {
        throw new Error(`Block table of sequence ${sequence} is ${table}: wanted each block at most once`);
      }
      for (const [index, block] of table.entries()) {
        this.#expectInPool(block, `Block table of sequence ${sequence}`);
        const fill = Math.min(this.blockSize, nTokens - index * this.blockSize);
        const owner = owners.get(block);
        if (owner === undefined) {
          owners.set(block, { count: 1, index, fill });
          continue;
        }
        owner.count += 1;
        if (owner.index !== index || owner.fill !== fill) {
          throw new Error(
            `KV block ${block} has ${fill} tokens at index ${index} of sequence ${sequence}: ` +
              `wanted ${owner.fill} at index ${owner.index} as in its other tables`,
          );
        }
      }
    }
    for (const [block, count] of this.#references.entries()) {
      const wanted = owners.get(block)?.count ?? 0;
      if (count !== wanted) {
        throw new Error(
          `KV block ${block} has reference count ${count}: wanted ${wanted}, its number of tables`,
        );
      }
    }
    const free = new Set<number>();
    for (const block of this.#free) {
      this.#expectInPool(block, "Free list");
      if (owners.has(block)) throw new Error(`KV block ${block} is both free and used: wanted one of them`);
      if (free.has(block)) throw new Error(`KV block ${block} is free twice: wanted once`);
      free.add(block);
    }
    if (free.size + owners.size !== this.nBlocks) {
      throw new Error(
        `${free.size} KV blocks are free and ${owners.size} used: wanted ${this.nBlocks} together`,
      );
    }
  }

  #demand({ table, nTokens }: OpenSequence, nMore: number): Demand {
    const tail = table.at(-1);
    const hasRoom = nTokens % this.blockSize !== 0;
    const copiesTail = nMore > 0 && hasRoom && tail !== undefined && this.#references[tail]! > 1;
    const nGrown = Math.ceil((nTokens + nMore) / this.blockSize) - table.length;
    return { copiesTail, nGrown, nBlocks: nGrown + (copiesTail ? 1 : 0) };
  }

  /** Takes blocks off the free list for one table. The caller has checked that there are enough. */
  #take(nTaken: number): number[] {
    const taken: number[] = [];
    while (taken.length < nTaken) {
      const block = this.#free.pop()!;
      this.#references[block] = 1;
      taken.push(block);
    }
    return taken;
  }

  #release(block: number): void {
    const left = this.#references[block]! - 1;
    this.#references[block] = left;
    if (left === 0) this.#free.push(block);
  }

  #get(sequence: number): OpenSequence {
    const open = this.#sequences.get(sequence);
    if (open === undefined) throw new RangeError(`Sequence ${sequence} is not open: wanted one that is`);
    return open;
  }

  #expectUnopened(sequence: number): void {
    if (this.#sequences.has(sequence)) {
      throw new RangeError(`Sequence ${sequence} is open already: wanted one that is not`);
    }
  }

  #expectFree(nNeeded: number, sequence: number): void {
    if (nNeeded <= this.nFree) return;
    throw new KvbenchError(
      `Cannot allocate ${nNeeded} KV ${nNeeded === 1 ? "block" : "blocks"} for sequence ${sequence}: ` +
        `${this.nFree} of ${this.nBlocks} ${this.nFree === 1 ? "is" : "are"} free`,
    );
  }

  #expectInPool(block: number, holder: string): void {
    if (Number.isInteger(block) && block >= 0 && block < this.nBlocks) return;
    throw new Error(`${holder} holds KV block ${block}: wanted an integer from 0 to below ${this.nBlocks}`);
  }
}

function expectCount(nTokens: number, sequence: number): void {
  if (Number.isSafeInteger(nTokens) && nTokens >= 0) return;
  throw new RangeError(
    `Number of tokens for sequence ${sequence} is ${nTokens}: wanted an integer of at least 0`,
  );
}

function checkOrder(order: readonly number[], nBlocks: number): void {
  const wanted = `wanted each KV block from 0 to below ${nBlocks} once`;
  if (order.length !== nBlocks) throw new UsageError(`Block order has length ${order.length}: ${wanted}`);
  const seen = new Set<number>();
  for (const [index, block] of order.entries()) {
    if (!Number.isInteger(block) || block < 0 || block >= nBlocks || seen.has(block)) {
      throw new UsageError(`Block order has ${block} at index ${index}: ${wanted}`);
    }
    seen.add(block);
  }
}
