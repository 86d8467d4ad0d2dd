/**
 * First fit over an arena: a region is cut from the first free stretch that is long enough, exactly as long as asked
 * for, and a freed one joins its free neighbours (Knuth, The Art of Computer Programming, volume 1, section 2.5).
 */
import { type ArenaAllocator, checkArenaSize, type Region, unknownRegion, verifyCover } from "./arena.ts";

/** Hands out regions of exactly the size asked for. */
export class FirstFitAllocator implements ArenaAllocator {
  readonly size: number;
  /** Free stretches in the order of their offsets; two never touch. */
  readonly #holes: { offset: number; size: number }[];
  /** Sizes of the regions in use, by offset. */
  readonly #used = new Map<number, number>();
  #nFree: number;

  /**
   * Begins with one hole.
   *
   * @throws {UsageError} If the size is not an integer of at least 1.
   */
  constructor(size: number) {
    checkArenaSize(size);
    this.size = size;
    this.#nFree = size;
    this.#holes = [{ offset: 0, size }];
  }

  /** Slots in no region. */
  get nFree(): number {
    return this.#nFree;
  }

  /** The longest hole. */
  get largestFree(): number {
    return this.#holes.reduce((most, { size }) => Math.max(most, size), 0);
  }

  /** Nothing is rounded. */
  granted(size: number): number {
    return Math.max(1, size);
  }

  /** As many as lie one behind the other. */
  capacityFor(size: number): number {
    return Math.floor(this.size / this.granted(size));
  }

  /** Cuts the beginning of the first hole that is long enough. */
  allocate(size: number): Region | undefined {
    const needed = this.granted(size);
    const at = this.#holes.findIndex((hole) => hole.size >= needed);
    if (at < 0) return undefined;
    const hole = this.#holes[at]!;
    const { offset } = hole;
    if (hole.size === needed) this.#holes.splice(at, 1);
    else this.#holes[at] = { offset: offset + needed, size: hole.size - needed };
    this.#used.set(offset, needed);
    this.#nFree -= needed;
    return { offset, size: needed };
  }

  /** Joins the region with the holes on both sides. */
  free(offset: number): void {
    const size = this.#used.get(offset);
    if (size === undefined) throw unknownRegion(offset);
    this.#used.delete(offset);
    this.#nFree += size;
    let low = 0, high = this.#holes.length; // the first hole behind the region
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#holes[middle]!.offset < offset) low = middle + 1;
      else high = middle;
    }
    const before = this.#holes[low - 1], after = this.#holes[low];
    const joinsBefore = before !== undefined && before.offset + before.size === offset;
    const joinsAfter = after !== undefined && offset + size === after.offset;
    const joined = {
      offset: joinsBefore ? before.offset : offset,
      size: size + (joinsBefore ? before.size : 0) + (joinsAfter ? after.size : 0),
    };
    this.#holes.splice(low - Number(joinsBefore), Number(joinsBefore) + Number(joinsAfter), joined);
  }

  /** Checks the cover, and that no two holes touch. */
  verify(): void {
    for (const [i, { offset, size }] of this.#holes.entries()) {
      if (this.#holes[i + 1]?.offset === offset + size) {
        throw new Error(`Holes that touch at ${offset + size}`);
      }
    }
    const nFree = this.#holes.reduce((sum, { size }) => sum + size, 0);
    if (nFree !== this.#nFree) {
      throw new Error(`${this.#nFree} KV slots are counted as free: expected ${nFree}`);
    }
    verifyCover([...this.#holes, ...[...this.#used].map(([offset, size]) => ({ offset, size }))], this.size);
  }
}
