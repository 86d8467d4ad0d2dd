/**
 * K/V memory in contiguous regions of one arena, reserved when a request is admitted: the baselines of the
 * PagedAttention paper (Kwon et al. 2023, section 6.1), and the scratch of a cache that keeps nothing.
 */
import { Moves } from "../moves.ts";
import type { Admission, KvTraits, KvUsage, Lengths } from "../policy.ts";
import { RegionPolicy } from "../region_policy.ts";
import type { ArenaAllocator, Region } from "./arena.ts";
import { type ReservationName, reservedTokens } from "./reservation.ts";

/** The way in which regions are cut. */
interface ReservedOptions {
  /** The strategy's traits. */
  readonly traits: KvTraits;
  /** The allocator of regions. */
  readonly allocator: ArenaAllocator;
  /** The size of a sequence's reservation. */
  readonly reserve: ReservationName;
  /** The longest sequence, in tokens. */
  readonly maxTokens: number;
}

interface Reservation {
  readonly region: Region;
  /** Tokens that the sequence will have stored at its end. */
  readonly atEnd: number;
  stored: number;
}

/** A region per sequence, as long as the reservation says. */
export class ReservedPolicy extends RegionPolicy {
  readonly traits: KvTraits;
  readonly nSlots: number;
  readonly #allocator: ArenaAllocator;
  readonly #reserve: ReservationName;
  readonly #maxTokens: number;
  readonly #reservations = new Map<number, Reservation>();
  readonly #moves = new Moves();
  #stored = 0;
  #atEnd = 0;

  /** Begins with nothing reserved. */
  constructor({ traits, allocator, reserve, maxTokens }: ReservedOptions) {
    super();
    this.traits = traits;
    this.nSlots = allocator.size;
    this.#allocator = allocator;
    this.#reserve = reserve;
    this.#maxTokens = maxTokens;
  }

  /** The slots in no region. */
  get nFree(): number {
    return this.#allocator.nFree;
  }

  /** Hands over the moves since the last time. */
  takeMoves(): ReturnType<Moves["take"]> {
    return this.#moves.take();
  }

  /** Names the tokens that the request would reserve and those there are. */
  refusal(request: Lengths): string | undefined {
    const { continuations = 1 } = request;
    const each = this.#reserved(request);
    const most = this.#allocator.capacityFor(each);
    if (continuations <= most) return undefined;
    return `it reserves ${continuations} × ${this.#allocator.granted(each)} tokens of K/V, and ` +
      `${this.#allocator.size} have room for ${most} of these`;
  }

  /** Reserves a region for every sequence of the group, or none. */
  admit({ request, sequences, nTokens }: Admission): boolean {
    const each = this.#reserved(request);
    const regions: Region[] = [];
    for (const _ of sequences) {
      const region = this.#allocator.allocate(each);
      if (region === undefined) {
        for (const { offset } of regions) this.#allocator.free(offset);
        return false;
      }
      regions.push(region);
    }
    sequences.forEach((sequence, i) => {
      const reservation = {
        region: regions[i]!,
        atEnd: request.promptTokens + request.newTokens - 1,
        stored: 0,
      };
      this.#reservations.set(sequence, reservation);
      this.#atEnd += reservation.atEnd;
    });
    return this.grow(sequences[0]!, nTokens);
  }

  /** Returns whether only the order of the regions stands in the way. */
  override isFragmented({ request, sequences }: Admission): boolean {
    return sequences.length * this.#allocator.granted(this.#reserved(request)) <= this.#allocator.nFree;
  }

  /** Notes what is stored: the room is there since the admission. */
  grow(sequence: number, nTokens: number): boolean {
    const reservation = this.#reservations.get(sequence)!;
    if (nTokens > reservation.region.size) return false;
    this.#stored += nTokens - reservation.stored;
    reservation.stored = nTokens;
    return true;
  }

  /** Names the region's size. */
  shortage(sequence: number, nTokens: number): string {
    return `Cannot keep ${nTokens} tokens of sequence ${sequence}: its KV region holds ${
      this.#reservations.get(sequence)!.region.size
    }`;
  }

  /** Returns the tokens that are stored, or 0 where nothing is kept. */
  firstToCompute(sequence: number): number {
    return this.traits.keeps === "nothing" ? 0 : this.#reservations.get(sequence)!.stored;
  }

  /** Returns where its region begins. */
  place(sequence: number): readonly number[] {
    return [this.#reservations.get(sequence)!.region.offset];
  }

  /** Copies what the parent has stored into the child's region. */
  fork(parent: number, child: number): void {
    if (this.traits.keeps === "nothing") return;
    const from = this.#reservations.get(parent)!, to = this.#reservations.get(child)!;
    this.grow(child, from.stored);
    this.#moves.push({ kind: "copy", from: from.region.offset, to: to.region.offset, count: from.stored });
  }

  /** Frees the region. */
  release(sequence: number): void {
    const reservation = this.#reservations.get(sequence);
    if (reservation === undefined) return;
    const { region, atEnd, stored } = reservation;
    this.#reservations.delete(sequence);
    this.#allocator.free(region.offset);
    this.#stored -= stored;
    this.#atEnd -= atEnd;
  }

  /** Counts reservations beyond a sequence's end, by policy or by rounding, as internal fragmentation. */
  usage(): KvUsage {
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
    const all = [...this.#reservations.values()];
    const stored = all.reduce((sum, each) => sum + each.stored, 0);
    const held = all.reduce((sum, each) => sum + each.region.size, 0);
    if (stored !== this.#stored) {
      throw new Error(`${this.#stored} tokens are counted as stored: expected ${stored}`);
    }
    if (held !== this.#allocator.size - this.#allocator.nFree) {
      throw new Error(`${held} KV sequences belong to sequences: the allocator says otherwise`);
    }
    for (const { stored: tokens, region: { offset, size } } of all) {
      if (tokens > size) throw new Error(`${tokens} tokens are in the region of ${size} at ${offset}`);
    }
  }

  #reserved(request: Lengths): number {
    return reservedTokens(this.#reserve, request, this.#maxTokens);
  }
}
