/**
 * One arena of token slots, cut into contiguous regions: what `kv-cache` lives in when many sequences run. Two
 * allocators hand regions out; which slots lie where is real, and so is the fragmentation. Host only.
 */
import { UsageError } from "../../base/errors.ts";

/** Contiguous slots. */
export interface Region {
  /** First slot. */
  readonly offset: number;
  /** Slots, at least as many as were asked for. */
  readonly size: number;
}

/** Hands out regions of an arena. */
export interface ArenaAllocator {
  /** Slots of the arena. */
  readonly size: number;
  /** Slots in no region. */
  readonly nFree: number;
  /** The most slots that a region could have now. */
  readonly largestFree: number;
  /** The slots that a region for `size` slots takes. */
  granted(size: number): number;
  /** Returns the number of regions for `size` slots each that an empty arena has room for. */
  capacityFor(size: number): number;
  /** A region of at least `size` slots, or undefined where no free stretch is long enough. */
  allocate(size: number): Region | undefined;
  /**
   * Gives a region back.
   *
   * @throws {RangeError} If no region that is in use begins there.
   */
  free(offset: number): void;
  /**
   * Checks that regions and free stretches cover the arena, without gap or overlap; meant for tests.
   *
   * @throws {Error} Naming the first place that is wrong.
   */
  verify(): void;
}

/** The allocators. */
export const ALLOCATOR_NAMES = ["buddy", "first-fit"] as const;
/** An allocator. */
export type AllocatorName = (typeof ALLOCATOR_NAMES)[number];

/**
 * Checks what an arena is asked to be.
 *
 * @throws {UsageError} If the size is not an integer of at least 1.
 */
export function checkArenaSize(size: number): void {
  if (Number.isSafeInteger(size) && size >= 1) return;
  throw new UsageError(`KV arena is ${size} tokens: expected an integer of at least 1`);
}

/** The error of a region that is given back and was never handed out. */
export function unknownRegion(offset: number): RangeError {
  return new RangeError(`No KV region begins at ${offset}: expected the offset of one that is in use`);
}

/**
 * Checks that stretches cover the slots from 0 to below `size`.
 *
 * @throws {Error} At the first gap or overlap.
 */
export function verifyCover(stretches: readonly Region[], size: number): void {
  let end = 0;
  for (const { offset, size: length } of stretches.toSorted((a, b) => a.offset - b.offset)) {
    if (offset !== end || length < 1) {
      throw new Error(`A stretch of ${length} KV slots is at ${offset}: expected the next one at ${end}`);
    }
    end += length;
  }
  if (end !== size) throw new Error(`Stretches end at slot ${end}: expected the arena's end, ${size}`);
}
