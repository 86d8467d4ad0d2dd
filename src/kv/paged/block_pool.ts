/**
 * The physical side of the paged cache: a fixed pool of KV blocks, how many block tables hold each, and which
 * contents the full ones keep. It knows blocks, not sequences. Every operation but {@linkcode BlockPool.verify} takes
 * constant time, on typed arrays.
 *
 * A block that was published under a key keeps its contents when its last owner lets go of it: it is free, and can be
 * found and shared again until its memory is needed. Blocks without a key are handed out first, the one that was
 * freed last first; then the published one that has been unused for longest loses its key (LRU).
 *
 * Sharing by reference counts follows PagedAttention (Kwon et al. 2023, section 4.4,
 * https://arxiv.org/abs/2309.06180); keeping the blocks of finished sequences follows vLLM's automatic prefix caching
 * (https://docs.vllm.ai/en/latest/design/prefix_caching.html).
 */
import type { PrefixKey } from "../prefix_keys.ts";
import { UsageError } from "../../base/errors.ts";

const NONE = 0xffffffff;

/** Hands out blocks, counts their owners, and finds published ones. */
export class BlockPool {
  /** KV blocks in the pool. */
  readonly nBlocks: number;
  /** Block tables that hold a block, [nBlocks]. */
  readonly #references: Uint32Array;
  /** A stack of free blocks without a key; the next one to hand out is at `#nPlain - 1`. */
  readonly #plain: Uint32Array;
  #nPlain: number;
  /** Published blocks by key, and the reverse, [nBlocks]. */
  readonly #byKey = new Map<PrefixKey, number>();
  readonly #keys: (PrefixKey | undefined)[] = [];
  /** Free published blocks as a list in the order in which they became free, [nBlocks] each. */
  readonly #next: Uint32Array;
  readonly #previous: Uint32Array;
  #oldest = NONE;
  #newest = NONE;
  #nCached = 0;

  /**
   * Makes a pool whose blocks are all free.
   *
   * @param order The blocks 0 to `nBlocks - 1` in the order in which they are first handed out. Default: ascending.
   * @throws {UsageError} If `order` is not a permutation of the blocks.
   */
  constructor(nBlocks: number, order?: readonly number[]) {
    if (order !== undefined) checkOrder(order, nBlocks);
    this.nBlocks = nBlocks;
    this.#references = new Uint32Array(nBlocks);
    this.#plain = new Uint32Array(nBlocks);
    for (let i = 0; i < nBlocks; i++) this.#plain[nBlocks - 1 - i] = order?.[i] ?? i;
    this.#nPlain = nBlocks;
    this.#next = new Uint32Array(nBlocks);
    this.#previous = new Uint32Array(nBlocks);
  }

  /** Blocks that no table holds, published ones among them. */
  get nFree(): number {
    return this.#nPlain + this.#nCached;
  }

  /** Free blocks whose contents can still be found. */
  get nCached(): number {
    return this.#nCached;
  }

  /** Block tables that hold a block. */
  references(block: number): number {
    return this.#references[block]!;
  }

  /** Takes a free block for one table. The caller has checked that there is one. */
  take(): number {
    let block: number;
    if (this.#nPlain > 0) block = this.#plain[--this.#nPlain]!;
    else {
      block = this.#oldest;
      this.#unlink(block);
      this.#forget(block);
    }
    this.#references[block] = 1;
    return block;
  }

  /** Adds an owner to a block; a free published one is in use from then on. */
  share(block: number): void {
    const before = this.#references[block]!;
    if (before === 0 && this.#keys[block] !== undefined) this.#unlink(block);
    this.#references[block] = before + 1;
  }

  /** Takes an owner off a block, which is free when there is none left. */
  release(block: number): void {
    const left = this.#references[block]! - 1;
    this.#references[block] = left;
    if (left > 0) return;
    if (this.#keys[block] === undefined) this.#plain[this.#nPlain++] = block;
    else this.#append(block);
  }

  /** Lets a full block be found under a key; does nothing where the key or the block has been published already. */
  publish(block: number, key: PrefixKey): void {
    if (this.#byKey.has(key) || this.#keys[block] !== undefined) return;
    this.#byKey.set(key, block);
    this.#keys[block] = key;
  }

  /** The block that holds these contents. */
  find(key: PrefixKey): number | undefined {
    return this.#byKey.get(key);
  }

  /** Returns whether a block can be found under a key. */
  isPublished(block: number): boolean {
    return this.#keys[block] !== undefined;
  }

  /**
   * Checks that each block is used or free and never both, that reference counts are the numbers of owners, and that
   * keys and blocks agree; in time proportional to the pool.
   *
   * @param owners Tables that hold a block, by block.
   * @throws {Error} Naming the first block that is wrong.
   */
  verify(owners: ReadonlyMap<number, number>): void {
    for (const [block, count] of this.#references.entries()) {
      const expected = owners.get(block) ?? 0;
      if (count !== expected) {
        throw new Error(
          `KV block ${block} has reference count ${count}: expected ${expected}, its number of tables`,
        );
      }
    }
    const free = new Set<number>();
    const see = (block: number, published: boolean) => {
      if (owners.has(block)) throw new Error(`KV block ${block} is both free and used: expected one of them`);
      if (free.has(block)) throw new Error(`KV block ${block} is free twice: expected once`);
      if (this.isPublished(block) !== published) {
        throw new Error(`KV block ${block} is in the wrong one of the two lists of free blocks`);
      }
      free.add(block);
    };
    for (const block of this.#plain.subarray(0, this.#nPlain)) see(block, false);
    for (let block = this.#oldest, last = NONE; block !== NONE; last = block, block = this.#next[block]!) {
      see(block, true);
      if (this.#previous[block] !== last) throw new Error(`KV block ${block} is linked wrongly`);
    }
    if (free.size !== this.nFree || free.size + owners.size !== this.nBlocks) {
      throw new Error(
        `${free.size} KV blocks are free and ${owners.size} used: expected ${this.nBlocks} together`,
      );
    }
    for (const [key, block] of this.#byKey) {
      if (this.#keys[block] !== key) {
        throw new Error(`KV block ${block} was found under a key it does not have`);
      }
    }
    const nKeys = this.#keys.reduce((sum, key) => sum + Number(key !== undefined), 0);
    if (nKeys !== this.#byKey.size) {
      throw new Error(`${nKeys} KV blocks have a key and ${this.#byKey.size} are found by one`);
    }
  }

  /** Appends a block to the free published ones, as the last to be evicted. */
  #append(block: number): void {
    this.#previous[block] = this.#newest;
    this.#next[block] = NONE;
    if (this.#newest === NONE) this.#oldest = block;
    else this.#next[this.#newest] = block;
    this.#newest = block;
    this.#nCached++;
  }

  #unlink(block: number): void {
    const previous = this.#previous[block]!, next = this.#next[block]!;
    if (previous === NONE) this.#oldest = next;
    else this.#next[previous] = next;
    if (next === NONE) this.#newest = previous;
    else this.#previous[next] = previous;
    this.#nCached--;
  }

  #forget(block: number): void {
    this.#byKey.delete(this.#keys[block]!);
    this.#keys[block] = undefined;
  }
}

function checkOrder(order: readonly number[], nBlocks: number): void {
  const expected = `expected each KV block from 0 to below ${nBlocks} once`;
  if (order.length !== nBlocks) throw new UsageError(`Block order has length ${order.length}: ${expected}`);
  const seen = new Set<number>();
  for (const [index, block] of order.entries()) {
    if (!Number.isInteger(block) || block < 0 || block >= nBlocks || seen.has(block)) {
      throw new UsageError(`Block order has ${block} at index ${index}: ${expected}`);
    }
    seen.add(block);
  }
}
