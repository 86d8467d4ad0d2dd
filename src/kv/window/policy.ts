/**
 * K/V memory of a sliding window with attention sinks: a region per sequence, which does not grow with it. Its first
 * slots hold the sinks; the others are a ring, in which a new token takes the place of one that no later row attends to.
 */
import { type Move, Moves } from "../moves.ts";
import type { Admission, KvTraits, KvUsage, Lengths } from "../policy.ts";
import { RegionPolicy } from "../region_policy.ts";

/** Some tokens are kept; computing a sequence again gives the same, whatever was kept. */
export const WINDOW_TRAITS: KvTraits = { keeps: "some", exact: false, shares: false, preemptible: true };

/** The tokens of a region. */
export interface WindowShape {
  /** First tokens of a sequence, which stay. */
  readonly sinks: number;
  /** Last tokens that a row attends to, its own among them. */
  readonly window: number;
  /** Tokens that a step computes at most. */
  readonly chunk: number;
  /** The longest sequence, which a region is not longer than. */
  readonly maxTokens: number;
}

/** Returns the slots of the ring: a step stores its tokens before their rows attend to the window. */
export function ringOf({ window, chunk }: WindowShape): number {
  return window + chunk - 1;
}

/** Returns the slots of a region. */
export function regionOf(shape: WindowShape): number {
  return Math.min(shape.maxTokens, shape.sinks + ringOf(shape));
}

interface Open {
  /** Tokens that it will have at its end, the last one not computed. */
  readonly atEnd: number;
  computed: number;
}

/** A region of sinks and a ring per sequence, open or not. */
export class WindowPolicy extends RegionPolicy {
  readonly traits = WINDOW_TRAITS;
  readonly nSlots: number;
  override readonly maxChunk: number;
  override readonly maxSequences: number;
  readonly #shape: WindowShape;
  readonly #region: number;
  readonly #open = new Map<number, Open>();
  readonly #moves = new Moves();

  /** Begins with no sequence open. */
  constructor(nRegions: number, shape: WindowShape) {
    super();
    this.#shape = shape;
    this.#region = regionOf(shape);
    this.maxSequences = nRegions;
    this.nSlots = nRegions * this.#region;
    // A region for the longest sequence is never overwritten.
    this.maxChunk = this.#region === shape.maxTokens ? Infinity : shape.chunk;
  }

  /** The slots of closed regions. */
  get nFree(): number {
    return this.nSlots - this.#open.size * this.#region;
  }

  /** Hands over the moves since the last time. */
  takeMoves(): readonly Move[] {
    return this.#moves.take();
  }

  /** Names the regions that the request needs and those there are. */
  refusal({ continuations = 1 }: Lengths): string | undefined {
    if (continuations <= this.maxSequences) return undefined;
    return `it needs ${continuations} windows of K/V, and there are ${this.maxSequences}`;
  }

  /** Opens the regions of a group's sequences, if there are so many regions. */
  admit({ request: { promptTokens, newTokens }, sequences, nTokens }: Admission): boolean {
    if (sequences.some((sequence) => sequence >= this.maxSequences)) return false;
    for (const sequence of sequences) {
      this.#open.set(sequence, { atEnd: promptTokens + newTokens - 1, computed: 0 });
    }
    return this.grow(sequences[0]!, nTokens);
  }

  /** Notes what is computed: a new token overwrites an old one. */
  grow(sequence: number, nTokens: number): boolean {
    if (nTokens > this.#shape.maxTokens) return false;
    this.#open.get(sequence)!.computed = nTokens;
    return true;
  }

  /** Names the longest sequence. */
  shortage(sequence: number, nTokens: number): string {
    return `Cannot compute ${nTokens} tokens of sequence ${sequence}: its window was made for ${this.#shape.maxTokens}`;
  }

  /** Returns the tokens that were computed, kept or not. */
  firstToCompute(sequence: number): number {
    return this.#open.get(sequence)!.computed;
  }

  /** Returns the tokens that the last row attends to; what else the ring holds waits to be overwritten. */
  override storedTokens(length: number): number {
    return Math.min(length, this.#shape.sinks + this.#shape.window);
  }

  /** Returns the slots in use: a row goes through all of them. */
  override entries(length: number): number {
    return Math.min(length, this.#region);
  }

  /** Returns where its region begins. */
  place(sequence: number): readonly number[] {
    return [sequence * this.#region];
  }

  /** Copies the parent's region. */
  fork(parent: number, child: number): void {
    const { computed } = this.#open.get(parent)!;
    this.#open.get(child)!.computed = computed;
    const [from, to] = [parent, child].map((sequence) => sequence * this.#region) as [number, number];
    this.#moves.push({ kind: "copy", from, to, count: this.entries(computed) });
  }

  /** Closes the sequence. */
  release(sequence: number): void {
    this.#open.delete(sequence);
  }

  /** Counts a step's room in the ring, and what a short sequence leaves, as internal fragmentation. */
  usage(): KvUsage {
    let stored = 0, later = 0;
    for (const { computed, atEnd } of this.#open.values()) {
      stored += this.storedTokens(computed);
      later += Math.max(0, this.storedTokens(atEnd) - this.storedTokens(computed));
    }
    const { nSlots: capacity, nFree: free } = this;
    return { capacity, stored, later, internal: capacity - free - stored - later, free, saved: 0 };
  }

  /** Checks that every sequence has a region. */
  verify(): void {
    for (const [sequence, { computed }] of this.#open) {
      if (sequence >= 0 && sequence < this.maxSequences && computed <= this.#shape.maxTokens) continue;
      throw new Error(
        `Sequence ${sequence} with ${computed} tokens has none of ${this.maxSequences} windows`,
      );
    }
  }
}
