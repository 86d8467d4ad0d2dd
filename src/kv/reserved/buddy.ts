/**
 * The buddy system over an arena: regions are powers of two, aligned to their size, and a freed one joins its buddy
 * again (Knuth, The Art of Computer Programming, volume 1, section 2.5). An arena whose size is no power of two is
 * several trees, one for each bit of it.
 *
 * It is what the paper's baselines use: Kwon et al. 2023, section 6.1.
 */
import { type ArenaAllocator, checkArenaSize, type Region, unknownRegion, verifyCover } from "./arena.ts";

/** Hands out regions whose sizes are powers of two. */
export class BuddyAllocator implements ArenaAllocator {
  readonly size: number;
  /** Offsets of free stretches of 2^order slots, by order. */
  readonly #free: Set<number>[] = [];
  /** Orders of the regions in use, by offset. */
  readonly #used = new Map<number, number>();
  /** Offsets of the trees and their orders, largest first. */
  readonly #trees: readonly { readonly offset: number; readonly order: number }[];
  #nFree: number;

  /**
   * Begins with one region per tree, all of them free.
   *
   * @throws {UsageError} If the size is not an integer of at least 1.
   */
  constructor(size: number) {
    checkArenaSize(size);
    this.size = size;
    this.#nFree = size;
    const top = Math.floor(Math.log2(size));
    const trees: { offset: number; order: number }[] = [];
    for (let order = top, offset = 0; order >= 0; order--) {
      const inSize = Math.floor(size / 2 ** order) % 2 === 1;
      this.#free[order] = new Set(inSize ? [offset] : []);
      if (!inSize) continue;
      trees.push({ offset, order });
      offset += 2 ** order;
    }
    this.#trees = trees;
  }

  /** Slots in no region. */
  get nFree(): number {
    return this.#nFree;
  }

  /** The largest free stretch of a power of two. */
  get largestFree(): number {
    const order = this.#free.findLastIndex((offsets) => offsets.size > 0);
    return order < 0 ? 0 : 2 ** order;
  }

  /** The next power of two. */
  granted(size: number): number {
    return 2 ** orderOf(size);
  }

  /** As many as the trees that are large enough hold. */
  capacityFor(size: number): number {
    const needed = orderOf(size);
    return this.#trees.reduce((sum, { order }) => sum + (order >= needed ? 2 ** (order - needed) : 0), 0);
  }

  /** Splits the smallest free stretch that is large enough. */
  allocate(size: number): Region | undefined {
    const needed = orderOf(size);
    let order = needed;
    while (order < this.#free.length && this.#free[order]!.size === 0) order++;
    if (order >= this.#free.length) return undefined;
    const offset: number = this.#free[order]!.values().next().value!;
    this.#free[order]!.delete(offset);
    while (order > needed) {
      order--;
      this.#free[order]!.add(offset + 2 ** order);
    }
    this.#used.set(offset, needed);
    this.#nFree -= 2 ** needed;
    return { offset, size: 2 ** needed };
  }

  /** Joins the region with its buddy as long as that is free. */
  free(offset: number): void {
    const used = this.#used.get(offset);
    if (used === undefined) throw unknownRegion(offset);
    this.#used.delete(offset);
    this.#nFree += 2 ** used;
    const tree = this.#trees.find((each) => offset < each.offset + 2 ** each.order)!;
    let order = used, start = offset;
    while (order < tree.order) {
      // Within a tree, which begins at a multiple of every smaller power of two, the buddy differs in one bit.
      const inTree = start - tree.offset;
      const buddy = tree.offset +
        (Math.floor(inTree / 2 ** order) % 2 === 0 ? inTree + 2 ** order : inTree - 2 ** order);
      if (!this.#free[order]!.delete(buddy)) break;
      start = Math.min(start, buddy);
      order++;
    }
    this.#free[order]!.add(start);
  }

  /** Checks the cover, and that no two free buddies were left apart. */
  verify(): void {
    const stretches: Region[] = [...this.#used].map(([offset, order]) => ({ offset, size: 2 ** order }));
    let nFree = 0;
    this.#free.forEach((offsets, order) => {
      for (const offset of offsets) {
        stretches.push({ offset, size: 2 ** order });
        nFree += 2 ** order;
        const { offset: first, order: top } = this.#trees.find((each) =>
          offset < each.offset + 2 ** each.order
        )!;
        const inTree = offset - first;
        if (order < top && inTree % 2 ** (order + 1) === 0 && offsets.has(offset + 2 ** order)) {
          throw new Error(`Free buddies of ${2 ** order} KV slots at ${offset} were not joined`);
        }
      }
    });
    if (nFree !== this.#nFree) {
      throw new Error(`${this.#nFree} KV slots are counted as free: expected ${nFree}`);
    }
    verifyCover(stretches, this.size);
  }
}

function orderOf(size: number): number {
  return Math.ceil(Math.log2(Math.max(1, size)));
}
