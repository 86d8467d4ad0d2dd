/**
 * Warnings about a result: a machine that was not quiet, a speed that drifted, a precision that was not reached.
 *
 * @module
 */
import type { Cell } from "../record/cell.ts";
import { ratioOf, verdictOf } from "../statistics/ratio.ts";
import type { BenchResult } from "../record/result.ts";
import { mean, percentile } from "../statistics/statistics.ts";
import { precision } from "./summary.ts";

/** Largest interquartile range of the yardstick on a quiet machine, as a share of its median. */
export const QUIET_SPREAD = 0.1;
/** Difference between the halves of the runs, above which they have drifted; a share. */
const DRIFT = 0.05;
/** Load average per CPU at the start, above which a machine is busy. */
const BUSY_LOAD = 0.5;
/** Largest share of severe outliers that is not worth a warning. */
const OUTLIER_SHARE = 0.1;

/** Lists the warnings of a result, a sentence each; `name` gives a cell's label. */
export function warningsOf(result: BenchResult, name: (cell: Cell) => string): string[] {
  const { cells, groups, environment, plan } = result;
  const found: string[] = [];
  const list = (cells: readonly Cell[]) =>
    `${cells.slice(0, 4).map(name).join("; ")}${cells.length > 4 ? ` and ${cells.length - 4} more` : ""}`;
  const warn = (which: (cell: Cell) => boolean, text: (names: string) => string) => {
    const hit = cells.filter(which);
    if (hit.length > 0) found.push(text(list(hit)));
  };

  const load = busyLoad(environment);
  if (load !== undefined) {
    found.push(
      `The machine was busy when measuring began: ${
        load.toFixed(1)
      } processes on ${environment.cpu.cores} CPUs.`,
    );
  }
  const spread = machineSpread(cells);
  if (spread > QUIET_SPREAD) {
    found.push(
      `The machine was not quiet: the interquartile range of the yardstick, a fixed piece of GPU work, is ` +
        `${Math.round(100 * spread)} % of its median.`,
    );
  }
  warn(drifted, (names) => `The later half of the runs differs from the earlier half: ${names}.`);
  warn(
    ({ e2e_ms: { outliers, samples } }) => outliers.severe.length > OUTLIER_SHARE * samples.length,
    (names) => `More than a tenth of the runs are severe outliers, which are kept: ${names}.`,
  );
  const rushed = cells.filter((cell) =>
    groups[cell.group]!.stopped === "time" && precision(cell.e2e_ms) > plan.target_ci
  );
  if (rushed.length > 0) {
    found.push(
      `Time ran out (--max-seconds ${plan.max_seconds}) before the total (E2E) was precise to ` +
        `±${(100 * plan.target_ci).toFixed(1)} %: ${list(rushed)}.`,
    );
  }
  return found;
}

/** Returns the interquartile range of the yardstick as a share of its median: mean over lists of readings. */
export function machineSpread(lists: readonly { readonly yardstick_ms: readonly number[] }[]): number {
  if (lists.length === 0) return 0;
  return mean(lists.map(({ yardstick_ms }) => {
    const [q1, q2, q3] = [25, 50, 75].map((p) => percentile(yardstick_ms, p));
    return (q3! - q1!) / q2!;
  }));
}

/** Judges whether more processes ran or waited at the start than leave the machine quiet; returns their number. */
export function busyLoad({ load_average, cpu }: BenchResult["environment"]): number | undefined {
  const load = load_average?.[0];
  return load !== undefined && load > BUSY_LOAD * cpu.cores ? load : undefined;
}

function drifted({ e2e_ms: { samples } }: Cell): boolean {
  const half = Math.floor(samples.length / 2);
  if (half < 3) return false;
  const relation = ratioOf(samples.slice(0, half), samples.slice(-half));
  return ["faster", "slower"].includes(verdictOf(relation, DRIFT));
}
