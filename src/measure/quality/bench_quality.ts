/**
 * The quality of a benchmark's cells, on a short text and before anything is timed: of those that attend to less than
 * everything, or round. All others give the logits of full float32, and need none.
 */
import { isExactKv } from "../../formats/kv_dtype.ts";
import { formatOf } from "../../formats/registry.ts";
import { findStrategy, plainStrategy } from "../../kv/registry.ts";
import type { Model } from "../../model/model.ts";
import type { Settings } from "../record/cell.ts";
import { cellKey, type CellPlan, groupsOf } from "../run/grid.ts";
import type { Plan } from "../run/plan.ts";
import { type ReferencePart, referencePart, scoredCell, scorePart, type TextPart } from "./score.ts";
import type { ScoredCell } from "./scored_cell.ts";

/** Fewest tokens that a cell is scored on, where its context has so many. */
const LEAST_SCORED = 64;
/** Most tokens that a cell is scored on. */
const MOST_SCORED = 128;

/** The reference's logits by lengths of a cell, as {@linkcode lengthsKey} has them. */
export type ReferenceParts = ReadonlyMap<string, ReferencePart>;

/** Returns the cells of a plan whose quality is a result, each once whatever its batch. */
export function cellsToScore(plan: Plan, weightsDtype: string): CellPlan[] {
  const cells = groupsOf(plan).flat().map(scoredAs).filter(({ strategy, settings }) =>
    !isExact(strategy) || !isExactKv(settings.kv_dtype) ||
    !formatOf(weightsDtype).exact
  );
  return [...new Map(cells.map((cell) => [cellKey(cell), cell])).values()];
}

/** Finds the quality of a cell among those that were scored. */
export function qualityOf(scored: readonly ScoredCell[], cell: CellPlan): ScoredCell | undefined {
  if (scored.length === 0) return undefined;
  const key = cellKey(scoredAs(cell));
  return scored.find((each) => cellKey(each) === key);
}

/** Returns the cell that a cell's quality is measured on: one sequence, and the plain strategy for all exact ones. */
function scoredAs({ strategy, settings }: CellPlan): CellPlan {
  const { prompt_tokens, new_tokens, kv_dtype } = settings, batch = 1;
  if (!isExact(strategy)) return { strategy, settings: { ...settings, batch } };
  return { strategy: plainStrategy().name, settings: { prompt_tokens, new_tokens, batch, kv_dtype } };
}

/** Strategies that are not known, in results of another program, are taken for inexact. */
function isExact(strategy: string): boolean {
  return findStrategy(strategy)?.traits.exact ?? false;
}

/** Returns the beginning of a text that is as long as a cell's context, of which the last tokens are scored. */
function partFor({ prompt_tokens, new_tokens }: Settings, text: readonly number[]): TextPart {
  const ids = text.slice(0, prompt_tokens + new_tokens);
  const scored = Math.min(ids.length - 1, MOST_SCORED, Math.max(new_tokens, LEAST_SCORED));
  return { ids, promptTokens: ids.length - scored };
}

/**
 * Computes the logits of full float32 for cells.
 *
 * @param model A model with weights in float32.
 * @throws {KvbenchError} If the device fails.
 */
export async function referenceParts(
  model: Model,
  cells: readonly CellPlan[],
  text: readonly number[],
): Promise<ReferenceParts> {
  const parts = new Map<string, ReferencePart>();
  for (const { settings } of cells) {
    const key = lengthsKey(settings);
    if (!parts.has(key)) parts.set(key, await referencePart(model, partFor(settings, text)));
  }
  return parts;
}

/**
 * Scores cells.
 *
 * @param onProgress Called with the cells done.
 * @throws {KvbenchError} If the device fails.
 */
export async function scoreAll(
  model: Model,
  cells: readonly CellPlan[],
  parts: ReferenceParts,
  onProgress: (done: number) => void = () => {},
): Promise<ScoredCell[]> {
  const scored: ScoredCell[] = [];
  for (const cell of cells) {
    scored.push(scoredCell(cell, [await scorePart(model, cell, parts.get(lengthsKey(cell.settings))!)]));
    onProgress(scored.length);
  }
  return scored;
}

function lengthsKey({ prompt_tokens, new_tokens }: Settings): string {
  return `${prompt_tokens}+${new_tokens}`;
}
