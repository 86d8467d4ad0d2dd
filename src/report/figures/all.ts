/** All charts of a bench result. */
import type { BenchResult } from "../../measure/record/result.ts";
import { createdFigure } from "./created.ts";
import { inEnglish, type Say } from "../lang.ts";
import type { Figure } from "./figure.ts";
import { distributionFigure, perTokenFigure, timesFigures } from "./latency.ts";
import { kvFigure, peakFigure, timelineFigure } from "./memory.ts";
import { pagingGainFigure } from "./paging_gain.ts";
import { benchParetoFigures } from "./pareto.ts";
import { batchSweepFigure, blockSweepFigure, promptSweepFigure } from "./sweeps.ts";

/** Returns the charts for which a result has data, in the order of a report. */
export function figuresOf(result: BenchResult, t: Say = inEnglish): Figure[] {
  if (result.cells.length === 0) return [];
  return [
    perTokenFigure(result, t),
    createdFigure(result, t),
    ...timesFigures(result, t),
    peakFigure(result, "with", t),
    peakFigure(result, "without", t),
    kvFigure(result, t),
    timelineFigure(result, t),
    pagingGainFigure(result, t),
    promptSweepFigure(result, t),
    batchSweepFigure(result, t),
    blockSweepFigure(result, t),
    distributionFigure(result, t),
    ...benchParetoFigures(result, t),
  ].filter((figure) => figure !== undefined);
}
