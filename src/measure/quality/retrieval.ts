/**
 * A probe of retrieval for models that answer no questions: a random sequence of tokens stands twice, and the second
 * time each token can be known from what followed its first occurrence, a sequence's length before. A model that can do
 * this (by "induction": Olsson et al. 2022, arXiv 2209.11895) shows at which distance a strategy has forgotten.
 */
import { seededRandom, shuffled } from "../../base/random.ts";
import type { Model } from "../../model/model.ts";
import type { CellPlan } from "../run/grid.ts";
import type { Divergence } from "./divergence.ts";
import { type Estimate, meanOf } from "./divergence_summary.ts";
import { type ReferencePart, referencePart, scorePart } from "./score.ts";

/** Fewest tokens that are to be recalled at a distance. */
const LEAST_POSITIONS = 128;

interface Recall {
  readonly positions: number;
  /** Share of tokens that were the likeliest. */
  readonly accuracy: Estimate;
  /** Gain in log-probability over the reference where the sequence stands for the first time, in nats. */
  readonly gain: Estimate;
}

/** A sequence that stands twice, with the reference's figures. */
interface Repeated {
  readonly part: ReferencePart;
  /** Log-likelihoods of the same tokens where they stand for the first time. */
  readonly firstNlls: readonly number[];
}

/** The sequences of one distance. */
export interface Probe {
  readonly distance: number;
  readonly sequences: readonly Repeated[];
}

/**
 * Makes the sequences of a distance, and computes what full float32 makes of them.
 *
 * @param model A model with weights in float32.
 * @param tokens Tokens to draw from, without repetition; at least `distance`.
 */
export async function probeOf(
  model: Model,
  tokens: readonly number[],
  distance: number,
  seed: number,
): Promise<Probe> {
  const random = seededRandom(seed + distance), sequences: Repeated[] = [];
  for (let positions = 0; positions < LEAST_POSITIONS; positions += distance - 1) {
    const once = shuffled(tokens, random).slice(0, distance);
    const first = await referencePart(model, { ids: once, promptTokens: 1 });
    sequences.push({
      part: await referencePart(model, { ids: [...once, ...once], promptTokens: distance + 1 }),
      firstNlls: first.rows.map(({ logits, logSum }, i) => logSum - logits[once[i + 1]!]!),
    });
  }
  return { distance, sequences };
}

/** Measures what a cell recalls; without a cell, full float32. */
export async function recallOf(model: Model, { sequences }: Probe, cell?: CellPlan): Promise<Recall> {
  const hits: number[] = [], gains: number[] = [];
  for (const { part, firstNlls } of sequences) {
    const scored = cell
      ? (await scorePart(model, cell, part)).divergences.map(({ nll, hit }: Divergence) => ({ nll, hit }))
      : part.rows.map(({ logits, logSum, top }, i) => {
        const right = part.ids[part.promptTokens + i]!;
        return { nll: logSum - logits[right]!, hit: top === right };
      });
    hits.push(...scored.map(({ hit }) => Number(hit)));
    gains.push(...scored.map(({ nll }, i) => firstNlls[i]! - nll));
  }
  return { positions: hits.length, accuracy: meanOf(hits), gain: meanOf(gains) };
}
