/**
 * One region per sequence, all of one size, so that a region is found by its sequence's number and needs no table. The
 * regions are reserved at the beginning (`static`) or grow with the longest sequence by copying into larger ones
 * (`dynamic`), as concatenating caches do.
 */
import { Moves } from "../moves.ts";
import type { Admission, KvTraits, KvUsage, Lengths } from "../policy.ts";
import { RegionPolicy } from "../region_policy.ts";

/** Ways in which the regions get their memory: all at once, or token by token with copies. */
export const GROWTHS = ["static", "dynamic"] as const;
/** A way in which the regions get their memory. */
export type Growth = (typeof GROWTHS)[number];

interface ContiguousOptions {
  /** The strategy's traits. */
  readonly traits: KvTraits;
  /** Regions: sequences that can be open at once. */
  readonly nRegions: number;
  /** Tokens of a region: reserved at once if `static`, a bound if `dynamic`. */
  readonly capacity: number;
  /** The way in which regions get their memory. */
  readonly growth: Growth;
}

interface Open {
  /** Tokens that it will have stored at its end. */
  readonly atEnd: number;
  stored: number;
}

/** A region per sequence, open or not. */
export class ContiguousPolicy extends RegionPolicy {
  readonly traits: KvTraits;
  readonly nSlots: number;
  override readonly maxSequences: number;
  readonly #capacity: number;
  readonly #growth: Growth;
  readonly #open = new Map<number, Open>();
  readonly #moves = new Moves();
  /** Tokens of each region now. */
  #perRegion: number;

  /** Begins with no sequence open. */
  constructor({ traits, nRegions, capacity, growth }: ContiguousOptions) {
    super();
    this.traits = traits;
    this.maxSequences = nRegions;
    this.#capacity = capacity;
    this.#growth = growth;
    this.#perRegion = growth === "static" ? capacity : 0;
    this.nSlots = nRegions * this.#perRegion;
  }

  /** The room that open regions do not hold yet. */
  get nFree(): number {
    return this.maxSequences * this.#capacity - this.#open.size * this.#perRegion;
  }

  /** Hands over the moves since the last time. */
  takeMoves(): ReturnType<Moves["take"]> {
    return this.#moves.take();
  }

  /** Names the tokens or the regions that the request needs and those there are. */
  refusal({ promptTokens, newTokens, continuations = 1 }: Lengths): string | undefined {
    const tokens = promptTokens + newTokens - 1; // the last token's K and V are never stored
    if (tokens > this.#capacity) {
      return `it needs ${tokens} tokens of K/V, and a region holds ${this.#capacity}`;
    }
    if (continuations <= this.maxSequences) return undefined;
    return `it needs ${continuations} regions of K/V, and there are ${this.maxSequences}`;
  }

  /** Opens the regions of a group's sequences, if there are so many regions. */
  admit({ request: { promptTokens, newTokens }, sequences, nTokens }: Admission): boolean {
    if (sequences.some((sequence) => sequence >= this.maxSequences) || nTokens > this.#capacity) return false;
    for (const sequence of sequences) {
      this.#open.set(sequence, { atEnd: promptTokens + newTokens - 1, stored: 0 });
    }
    return this.grow(sequences[0]!, nTokens);
  }

  /** Enlarges all regions where they are too small and may grow. */
  grow(sequence: number, nTokens: number): boolean {
    if (nTokens > this.#capacity) return false;
    if (nTokens > this.#perRegion) {
      const { maxSequences: nSequences } = this;
      this.#moves.push({ kind: "resize", slotsPerSequence: nTokens, nSequences, keep: this.#perRegion });
      this.#perRegion = nTokens;
    }
    this.#open.get(sequence)!.stored = nTokens;
    return true;
  }

  /** Names the region's size. */
  shortage(sequence: number, nTokens: number): string {
    return `Cannot keep ${nTokens} tokens of sequence ${sequence}: its KV region holds ${this.#capacity}`;
  }

  /** Returns the tokens that are stored, or 0 where nothing is kept. */
  firstToCompute(sequence: number): number {
    return this.traits.keeps === "nothing" ? 0 : this.#open.get(sequence)!.stored;
  }

  /** Returns where its region begins. */
  place(sequence: number): readonly number[] {
    return [sequence * this.#perRegion];
  }

  /** Copies what the parent has stored into the child's region. */
  fork(parent: number, child: number): void {
    if (this.traits.keeps === "nothing") return;
    const { stored } = this.#open.get(parent)!;
    this.#open.get(child)!.stored = stored;
    const [from, to] = [parent, child].map((sequence) => sequence * this.#perRegion) as [number, number];
    this.#moves.push({ kind: "copy", from, to, count: stored });
  }

  /** Closes the sequence. When none is open, memory that has grown is given back. */
  release(sequence: number): void {
    if (!this.#open.delete(sequence) || this.#growth === "static" || this.#open.size > 0) return;
    this.#moves.push({ kind: "resize", slotsPerSequence: 0, nSequences: this.maxSequences, keep: 0 });
    this.#perRegion = 0;
  }

  /** Counts what lies beyond a sequence's end as internal fragmentation. */
  usage(): KvUsage {
    let stored = 0, later = 0;
    for (const open of this.#open.values()) {
      stored += open.stored;
      later += Math.max(0, Math.min(open.atEnd, this.#perRegion) - open.stored);
    }
    const capacity = this.maxSequences * this.#capacity, { nFree: free } = this;
    return { capacity, stored, later, internal: capacity - free - stored - later, free, saved: 0 };
  }

  /** Checks that every sequence fits its region. */
  verify(): void {
    for (const [sequence, { stored }] of this.#open) {
      if (sequence < 0 || sequence >= this.maxSequences) {
        throw new Error(`Sequence ${sequence} has none of ${this.maxSequences} regions`);
      }
      if (stored > this.#perRegion) {
        throw new Error(`${stored} tokens of sequence ${sequence} are in a region of ${this.#perRegion}`);
      }
    }
  }
}
