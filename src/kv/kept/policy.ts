/**
 * A region per sequence for the tokens that stay, made when the prompts are known and given back with the last sequence.
 * While prompts are computed, their K and V are elsewhere: see `around.ts`.
 */
import { Moves } from "../moves.ts";
import type { Admission, KvTraits, KvUsage, Lengths } from "../policy.ts";
import { RegionPolicy } from "../region_policy.ts";
import { entriesOf, firstObservedOf, keptOf, type KeptRule, NO_BOUND, slotsOf, storedOf } from "./rule.ts";

interface Open {
  /** Tokens of its first step. */
  promptTokens: number;
  /** Tokens that it has at its end at most. */
  readonly atEnd: number;
  /** Tokens that were computed. */
  computed: number;
}

/** Regions of tokens that stay. */
export class KeptPolicy extends RegionPolicy {
  readonly traits: KvTraits;
  readonly nSlots: number = 0;
  override readonly maxSequences: number;
  /** Whole prompts, and then single tokens where every step chooses. */
  override maxChunk: number = Infinity;
  readonly #rule: KeptRule;
  readonly #maxTokens: number;
  readonly #open = new Map<number, Open>();
  readonly #moves = new Moves();
  /** Slots of each region now. */
  #perRegion = 0;

  /** Begins with no sequence open. */
  constructor(traits: KvTraits, rule: KeptRule, need: { nSequences: number; maxTokens: number }) {
    super();
    this.traits = traits;
    this.#rule = rule;
    this.maxSequences = need.nSequences;
    this.#maxTokens = need.maxTokens;
  }

  /** The slots of regions that no sequence has. */
  get nFree(): number {
    return (this.maxSequences - this.#open.size) * this.#perRegion;
  }

  /** The slots of each region now. */
  get perRegion(): number {
    return this.#perRegion;
  }

  /** The longest of the open sequences' prompts. */
  get longestPrompt(): number {
    return Math.max(0, ...this.#open.values().map(({ promptTokens }) => promptTokens));
  }

  get #begun(): boolean {
    return this.#open.values().some(({ computed }) => computed > 0);
  }

  /** Returns the tokens of a sequence's prompt, and those that were computed. */
  progress(sequence: number): { readonly promptTokens: number; readonly computed: number } {
    return this.#open.get(sequence)!;
  }

  /** Hands over the moves since the last time. */
  takeMoves(): ReturnType<Moves["take"]> {
    return this.#moves.take();
  }

  /** Names the sequences that the request needs and those there are. */
  refusal({ promptTokens, newTokens, continuations = 1 }: Lengths): string | undefined {
    if (promptTokens + newTokens - 1 > this.#maxTokens) {
      return `it has ${promptTokens + newTokens - 1} tokens, and a sequence at most ${this.#maxTokens}`;
    }
    if (continuations <= this.maxSequences) return undefined;
    return `it needs ${continuations} regions of K/V, and there are ${this.maxSequences}`;
  }

  /** Opens regions, if none was computed in: prompts are computed together. */
  admit({ request: { promptTokens, newTokens }, sequences }: Admission): boolean {
    if (this.#begun || sequences.some((sequence) => sequence >= this.maxSequences)) return false;
    for (const sequence of sequences) {
      this.#open.set(sequence, { promptTokens, atEnd: promptTokens + newTokens, computed: 0 });
    }
    return true;
  }

  /** Makes the regions before the first step, whose tokens are the prompt. */
  grow(sequence: number, nTokens: number): boolean {
    const open = this.#open.get(sequence)!;
    if (nTokens > open.atEnd) return false;
    if (open.computed === 0) {
      open.promptTokens = nTokens;
      const needs = this.#open.values().map(({ promptTokens, atEnd }) =>
        slotsOf(this.#rule, promptTokens, atEnd)
      );
      this.#perRegion = Math.max(...needs);
      this.#moves.push({
        kind: "resize",
        slotsPerSequence: this.#perRegion,
        nSequences: this.maxSequences,
        keep: 0,
      });
    }
    open.computed = nTokens;
    if (this.#rule.everyStep) this.maxChunk = 1;
    return true;
  }

  /** Names the sequence's length. */
  shortage(sequence: number, nTokens: number): string {
    const { atEnd } = this.#open.get(sequence)!;
    return `Cannot compute ${nTokens} tokens of sequence ${sequence}: its region is for ${atEnd}`;
  }

  /** Returns the tokens that were computed. */
  firstToCompute(sequence: number): number {
    return this.#open.get(sequence)!.computed;
  }

  /** Returns how many tokens are stored after a step. */
  override storedTokens(length: number, sequence: number): number {
    return storedOf(this.#rule, this.#promptOf(sequence, length), length);
  }

  /** Returns how many entries a row goes through: in prompts, all tokens up to its own. */
  override entries(length: number, sequence: number): number {
    return entriesOf(this.#rule, this.#promptOf(sequence, length), length);
  }

  /** Returns the sequence's words in `kept_places.wgsl`; prompts lie behind each other in the step that computes them. */
  place(sequence: number): readonly number[] {
    const { promptTokens } = this.#open.get(sequence)!, rule = this.#rule;
    const firstRow = this.#open.entries().filter(([other]) => other < sequence)
      .reduce((sum, [, open]) => sum + open.promptTokens, 0);
    return [
      sequence * this.#perRegion,
      rule.everyStep ? 0 : promptTokens - keptOf(rule, promptTokens),
      rule.everyStep ? rule.heavy + rule.recent : NO_BOUND,
      firstObservedOf(rule, promptTokens),
      firstRow,
      promptTokens,
      this.longestPrompt,
      this.#perRegion,
    ];
  }

  /** @throws {Error} Always: what a sequence keeps is its own. */
  fork(): never {
    throw new Error(
      "Sequences that keep some tokens of each head are forked: expected them to begin together",
    );
  }

  /** Closes the sequence. When none is open, the memory is given back. */
  release(sequence: number): void {
    if (!this.#open.delete(sequence) || this.#open.size > 0 || this.#perRegion === 0) return;
    this.maxChunk = Infinity;
    this.#moves.push({ kind: "resize", slotsPerSequence: 0, nSequences: this.maxSequences, keep: 0 });
    this.#perRegion = 0;
  }

  /** Counts the room for later tokens, and that of a step's own token, as later; what is beyond a sequence's end is lost. */
  usage(): KvUsage {
    let stored = 0, later = 0;
    for (const { promptTokens, atEnd, computed } of this.#open.values()) {
      const own = storedOf(this.#rule, promptTokens, computed);
      stored += own;
      later += slotsOf(this.#rule, promptTokens, atEnd) - own;
    }
    const capacity = this.maxSequences * this.#perRegion, { nFree: free } = this;
    if (this.#perRegion === 0) return { capacity: 0, stored: 0, later: 0, internal: 0, free: 0, saved: 0 };
    return { capacity, stored, later, internal: capacity - free - stored - later, free, saved: 0 };
  }

  /** Checks that every sequence fits its region. */
  verify(): void {
    for (const [sequence, { promptTokens, computed }] of this.#open) {
      const stored = storedOf(this.#rule, promptTokens, computed);
      if (sequence < 0 || sequence >= this.maxSequences) {
        throw new Error(`Sequence ${sequence} has none of ${this.maxSequences} regions`);
      }
      if (stored > this.#perRegion) {
        throw new Error(`${stored} tokens of sequence ${sequence} are in a region of ${this.#perRegion}`);
      }
    }
  }

  /** The prompt of a sequence; one that is not open is all prompt. */
  #promptOf(sequence: number, length: number): number {
    return this.#open.get(sequence)?.promptTokens ?? length;
  }
}
