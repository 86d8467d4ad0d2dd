/**
 * All charts of a bench result.
 *
 * @module
 */
import type { BenchResult } from "../../measure/record/result.ts";
import { createdFigure } from "./created.ts";
import type { Figure } from "./figure.ts";
import { distributionFigure, perTokenFigure, timesFigures } from "./latency.ts";
import { kvFigure, peakFigure, timelineFigure } from "./memory.ts";
import { pagingGainFigure } from "./paging_gain.ts";
import { benchParetoFigures } from "./pareto.ts";
import { batchSweepFigure, blockSweepFigure, promptSweepFigure } from "./sweeps.ts";

/** Returns the charts for which a result has data, in the order of a report. */
export function figuresOf(result: BenchResult): Figure[] {
  if (result.cells.length === 0) return [];
  return [
    perTokenFigure(result),
    createdFigure(result),
    ...timesFigures(result),
    peakFigure(result, "with"),
    peakFigure(result, "without"),
    kvFigure(result),
    timelineFigure(result),
    pagingGainFigure(result),
    promptSweepFigure(result),
    batchSweepFigure(result),
    blockSweepFigure(result),
    distributionFigure(result),
    ...benchParetoFigures(result),
  ].filter((figure) => figure !== undefined);
}
