/** The scoring of cells over a text, part after part, and of what they recall. */
import type { Model } from "../../model/model.ts";
import type { CellPlan } from "../run/grid.ts";
import { type Estimate, referencePerplexity } from "./divergence_summary.ts";
import type { QualityResult } from "./quality_result.ts";
import { probeOf, recallOf } from "./retrieval.ts";
import { referencePart, scoredCell, type ScoredPart, scorePart, type TextPart } from "./score.ts";
import type { ScoredCell } from "./scored_cell.ts";

/** The models of a comparison. */
export interface Compared {
  /** With weights in float32. */
  readonly f32: Model;
  /** The one that is compared with it, which may be the same. */
  readonly model: Model;
}

/** Called with the positions that were compared so far. */
type QualityProgress = (positions: number) => void;

/**
 * Scores cells over parts of a text. The logits of float32 are computed once for each part.
 *
 * @throws {KvbenchError} If the device fails.
 */
export async function scoreCells(
  { f32, model }: Compared,
  cells: readonly CellPlan[],
  parts: readonly TextPart[],
  onProgress: QualityProgress = () => {},
): Promise<{ readonly cells: ScoredCell[]; readonly referencePerplexity: Estimate }> {
  const scored: ScoredPart[][] = cells.map(() => []); // [cells][parts]
  let positions = 0;
  for (const part of parts) {
    const reference = await referencePart(f32, part);
    for (const [i, cell] of cells.entries()) {
      scored[i]!.push(await scorePart(model, cell, reference, () => onProgress(++positions)));
    }
  }
  return {
    cells: cells.map((cell, i) => scoredCell(cell, scored[i]!)),
    referencePerplexity: referencePerplexity(scored[0]!.flatMap(({ divergences }) => divergences)),
  };
}

/**
 * Measures what cells recall of random sequences.
 *
 * @param tokens Tokens to draw from, at least as many as the longest distance.
 * @param onProgress Called with the distances done.
 * @throws {KvbenchError} If the device fails.
 */
export async function recallCells(
  { f32, model }: Compared,
  cells: readonly CellPlan[],
  { tokens, distances, seed }: {
    readonly tokens: readonly number[];
    readonly distances: readonly number[];
    readonly seed: number;
  },
  onProgress: (done: number) => void = () => {},
): Promise<NonNullable<QualityResult["retrieval"]>> {
  const retrieval: NonNullable<QualityResult["retrieval"]> = {
    seed,
    distances: [...distances],
    reference: [],
    cells: cells.map(() => []),
  };
  for (const [done, distance] of distances.entries()) {
    const probe = await probeOf(f32, tokens, distance, seed);
    retrieval.reference.push(await recallOf(f32, probe));
    for (const [i, cell] of cells.entries()) retrieval.cells[i]!.push(await recallOf(model, probe, cell));
    onProgress(done + 1);
  }
  return retrieval;
}
