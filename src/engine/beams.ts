/**
 * Beam search without the model: which beams go on, which are finished, and when nothing better can come. As Hugging
 * Face's `BeamSearchScorer` has it (transformers 4.49, `generation/beam_search.py`). Host only.
 */
import { largestIndices, logSumExp } from "../model/log_probabilities.ts";

/**
 * When a search ends that has as many finished beams as it keeps: at once; when no beam that is open would be better if
 * it ended now; or when none can become better, however long it grows.
 */
export const EARLY_STOPPING = ["true", "false", "never"] as const;
/** When a search ends. */
export type EarlyStopping = (typeof EARLY_STOPPING)[number];

/** Settings of a search. */
export interface BeamOptions {
  /** Beams, and finished beams that are kept. */
  readonly nBeams: number;
  /** Tokens that a beam gains at most. */
  readonly newTokens: number;
  /** A beam's score is its log-probability / tokens ** lengthPenalty. */
  readonly lengthPenalty: number;
  /** When the search ends. */
  readonly earlyStopping: EarlyStopping;
  /** The id that finishes a beam; undefined where none does. */
  readonly eos: number | undefined;
}

export interface Hypothesis {
  /** New ids, the one that finished it among them. */
  readonly ids: readonly number[];
  /** Its rank among others. */
  readonly score: number;
}

interface Beam {
  readonly ids: readonly number[];
  /** Its log-probability. */
  readonly sum: number;
}

/** A search under way. */
export class Beams {
  readonly #options: BeamOptions;
  #open: readonly Beam[] = [{ ids: [], sum: 0 }];
  /** The best first. */
  #finished: Hypothesis[] = [];

  /** Begins with one beam, which is the prompt alone. */
  constructor(options: BeamOptions) {
    this.#options = options;
  }

  /** New ids of the open beams. */
  get open(): readonly (readonly number[])[] {
    return this.#open.map(({ ids }) => ids);
  }

  /**
   * Takes the logits [vocabSize] after each open beam.
   *
   * @returns Of which open beam each of the next ones is a continuation; undefined where the search is over.
   */
  step(logits: readonly Float32Array[]): number[] | undefined {
    const { nBeams, newTokens, eos } = this.#options;
    const length = this.#open[0]!.ids.length + 1;
    const candidates = logits.flatMap((row, parent) => {
      const before = this.#open[parent]!.sum - logSumExp(row);
      return largestIndices(row, 2 * nBeams).map((id) => ({ parent, id, sum: before + row[id]! }));
    }).sort((a, b) => b.sum - a.sum).slice(0, 2 * nBeams);
    const next: (Beam & { readonly parent: number })[] = [];
    for (const [rank, { parent, id, sum }] of candidates.entries()) {
      if (next.length === nBeams) break;
      const ids = [...this.#open[parent]!.ids, id];
      if (id !== eos) next.push({ parent, ids, sum });
      else if (rank < nBeams) this.#finish({ ids, sum });
    }
    if (this.#isOver(candidates[0]!.sum, length)) {
      this.#open = [];
      return undefined;
    }
    this.#open = next;
    return length === newTokens ? undefined : next.map(({ parent }) => parent);
  }

  /** Finished beams, and open ones where the search was ended by length; the best first. */
  hypotheses(): Hypothesis[] {
    for (const beam of this.#open) this.#finish(beam);
    this.#open = [];
    return this.#finished;
  }

  #finish({ ids, sum }: Beam): void {
    const score = sum / ids.length ** this.#options.lengthPenalty;
    const at = this.#finished.findIndex((other) => other.score < score);
    this.#finished.splice(at < 0 ? this.#finished.length : at, 0, { ids, score });
    if (this.#finished.length > this.#options.nBeams) this.#finished.pop();
  }

  #isOver(bestSum: number, length: number): boolean {
    const { nBeams, newTokens, lengthPenalty, earlyStopping } = this.#options;
    if (this.#finished.length < nBeams) return false;
    if (earlyStopping === "true") return true;
    const atLength = earlyStopping === "never" && lengthPenalty > 0 ? newTokens : length;
    return this.#finished.at(-1)!.score >= bestSum / atLength ** lengthPenalty;
  }
}
