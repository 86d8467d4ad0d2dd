/**
 * K/V memory in contiguous regions of one arena, reserved when a request is admitted: the baselines of the
 * PagedAttention paper (Kwon et al. 2023, section 6.1), and the scratch of a cache that keeps nothing.
 *
 * @module
 */
import type { ArenaAllocator, Region } from "./arena.ts";
import { type ReservationName, reservedTokens } from "./reservation.ts";
import type { Admission, KvMemory, KvMemoryUsage, Move } from "../policy.ts";
import type { Request } from "../../engine/scheduler/request.ts";
import { Moves } from "../moves.ts";

/** How regions are cut. */
export interface ArenaMemoryOptions {
  /** What hands the regions out. */
  readonly allocator: ArenaAllocator;
  /** How much a sequence reserves. */
  readonly policy: ReservationName;
  /** The longest sequence, in tokens. */
  readonly nCtx: number;
  /** Whether K and V outlive a step; true if left out. */
  readonly keeps?: boolean;
}

interface Reservation {
  readonly region: Region;
  /** Tokens that the sequence will have stored at its end. */
  readonly atEnd: number;
  stored: number;
}

/** A region per sequence, as long as the policy says. */
export class ArenaMemory implements KvMemory {
  readonly keeps: boolean;
  readonly blockSize: number | undefined = undefined;
  readonly #allocator: ArenaAllocator;
  readonly #policy: ReservationName;
  readonly #nCtx: number;
  readonly #bySlot = new Map<number, Reservation>();
  readonly #moves = new Moves();
  #stored = 0;
  #atEnd = 0;

  /** Begins with nothing reserved. */
  constructor({ allocator, policy, nCtx, keeps = true }: ArenaMemoryOptions) {
    this.#allocator = allocator;
    this.#policy = policy;
    this.#nCtx = nCtx;
    this.keeps = keeps;
  }

  /** The slots in no region. */
  get nFree(): number {
    return this.#allocator.nFree;
  }

  /** Hands over the moves since the last time. */
  takeMoves(): readonly Move[] {
    return this.#moves.take();
  }

  /** Names the tokens that the request would reserve and those there are. */
  refusal(request: Request): string | undefined {
    const { continuations = 1 } = request;
    const each = this.#reserved(request);
    const most = this.#allocator.capacityFor(each);
    if (continuations <= most) return undefined;
    return `it reserves ${continuations} × ${this.#allocator.granted(each)} tokens of K/V, and ` +
      `${this.#allocator.size} have room for ${most} of these`;
  }

  /** Nothing is shared. */
  cachedBlocks(): number {
    return 0;
  }

  /** Reserves a region for every sequence of the group, or none. */
  admit({ request, slots, nTokens }: Admission): boolean {
    const wanted = this.#reserved(request);
    const regions: Region[] = [];
    for (const _ of slots) {
      const region = this.#allocator.allocate(wanted);
      if (region === undefined) {
        for (const { offset } of regions) this.#allocator.free(offset);
        return false;
      }
      regions.push(region);
    }
    slots.forEach((slot, i) => {
      const reservation = {
        region: regions[i]!,
        atEnd: request.promptTokens + request.newTokens - 1,
        stored: 0,
      };
      this.#bySlot.set(slot, reservation);
      this.#atEnd += reservation.atEnd;
    });
    this.grow(slots[0]!, nTokens);
    return true;
  }

  /** Whether only the order of the regions stands in the way. */
  isFragmented({ request, slots }: Admission): boolean {
    return slots.length * this.#allocator.granted(this.#reserved(request)) <= this.#allocator.nFree;
  }

  /** The room is there since the admission. */
  grow(slot: number, nTokens: number): boolean {
    const reservation = this.#bySlot.get(slot)!;
    this.#stored += nTokens - reservation.stored;
    reservation.stored = nTokens;
    return true;
  }

  /** Where its region begins. */
  place(slot: number): readonly number[] {
    return [this.#bySlot.get(slot)!.region.offset];
  }

  /** Copies what the parent has stored into the child's region. */
  fork(parent: number, child: number): void {
    if (!this.keeps) return;
    const from = this.#bySlot.get(parent)!, to = this.#bySlot.get(child)!;
    this.grow(child, from.stored);
    this.#moves.push({ kind: "copy", from: from.region.offset, to: to.region.offset, count: from.stored });
  }

  /** Nothing is shared. */
  publish(): void {}

  /** Frees the region. */
  release(slot: number): void {
    const reservation = this.#bySlot.get(slot);
    if (reservation === undefined) return;
    const { region, atEnd, stored } = reservation;
    this.#bySlot.delete(slot);
    this.#allocator.free(region.offset);
    this.#stored -= stored;
    this.#atEnd -= atEnd;
  }

  /** Never needed: what a running sequence will need was reserved. */
  swapOut(): undefined {}

  /** Nothing was swapped out. */
  swapIn(): boolean {
    return false;
  }

  /** Nothing was swapped out. */
  drop(): void {}

  /** What is reserved beyond the sequence's end, by policy or by rounding, is internal fragmentation. */
  usage(): KvMemoryUsage {
    const { size, nFree } = this.#allocator;
    return {
      capacity: size,
      stored: this.#stored,
      later: this.#atEnd - this.#stored,
      internal: size - nFree - this.#atEnd,
      free: nFree,
      saved: 0,
    };
  }

  /** Checks the allocator, and the running totals. */
  verify(): void {
    this.#allocator.verify();
    const all = [...this.#bySlot.values()];
    const stored = all.reduce((sum, each) => sum + each.stored, 0);
    const held = all.reduce((sum, each) => sum + each.region.size, 0);
    if (stored !== this.#stored) {
      throw new Error(`${this.#stored} tokens are counted as stored: wanted ${stored}`);
    }
    if (held !== this.#allocator.size - this.#allocator.nFree) {
      throw new Error(`${held} KV slots belong to sequences: the allocator says otherwise`);
    }
    for (const { stored: tokens, region: { offset, size } } of all) {
      if (tokens > size) throw new Error(`${tokens} tokens are in the region of ${size} at ${offset}`);
    }
  }

  #reserved(request: Request): number {
    return reservedTokens(this.#policy, request, this.#nCtx);
  }
}
