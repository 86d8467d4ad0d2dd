/**
 * Warnings about a result: a machine that was not quiet, a speed that drifted, a precision that was not reached.
 */
import type { Cell } from "../record/cell.ts";
import { ratioOf, verdictOf } from "../statistics/ratio.ts";
import type { BenchResult } from "../record/result.ts";
import { mean, percentile } from "../statistics/statistics.ts";
import { precision } from "./summary.ts";

/** Largest interquartile range of the yardstick on a quiet machine, as a share of its median. */
const QUIET_SPREAD = 0.1;
/** Difference between the halves of the runs, above which they have drifted; a share. */
const DRIFT = 0.05;
/** Load average per CPU at the start, above which a machine is busy. */
const BUSY_LOAD = 0.5;
/** Largest share of severe outliers that is not worth a warning. */
const OUTLIER_SHARE = 0.1;

/** A warning about the machine, with its figures. */
export type MachineWarning =
  /** The load average at the start. */
  | { readonly kind: "busy"; readonly load: number; readonly cpus: number }
  /** The yardstick's interquartile range as a share of its median. */
  | { readonly kind: "unquiet"; readonly spread: number };

/** A warning, with its figures and the cells that it is about. */
export type Warning =
  | MachineWarning
  /** The later half of the runs differs from the earlier one, or many are severe outliers. */
  | { readonly kind: "drifted" | "outliers"; readonly cells: readonly Cell[] }
  /** Time ran out before the precision that was asked for. */
  | {
    readonly kind: "rushed";
    readonly cells: readonly Cell[];
    readonly maxSeconds: number;
    readonly ci: number;
  };

/** Lists the warnings of a result. */
export function warningsOf({ cells, groups, environment, plan }: BenchResult): Warning[] {
  const about = (kind: "drifted" | "outliers", which: (cell: Cell) => boolean): Warning[] => {
    const hit = cells.filter(which);
    return hit.length === 0 ? [] : [{ kind, cells: hit }];
  };
  const rushed = cells.filter((cell) =>
    groups[cell.group]!.stopped === "time" && precision(cell.e2e_ms) > plan.target_ci
  );
  return [
    ...machineWarnings(environment, cells),
    ...about("drifted", drifted),
    ...about(
      "outliers",
      ({ e2e_ms: { outliers, samples } }) => outliers.severe.length > OUTLIER_SHARE * samples.length,
    ),
    ...(rushed.length === 0
      ? []
      : [{ kind: "rushed", cells: rushed, maxSeconds: plan.max_seconds, ci: plan.target_ci } as const]),
  ];
}

/** Lists the warnings about a machine: from its load at the start, and from readings of the yardstick. */
export function machineWarnings(
  { load_average, cpu: { cores } }: BenchResult["environment"],
  lists: readonly Readings[],
): MachineWarning[] {
  const load = load_average?.[0] ?? 0, spread = machineSpread(lists);
  return [
    ...(load > BUSY_LOAD * cores ? [{ kind: "busy", load, cpus: cores } as const] : []),
    ...(spread > QUIET_SPREAD ? [{ kind: "unquiet", spread } as const] : []),
  ];
}

/** Something with readings of the yardstick. */
interface Readings {
  readonly yardstick_ms: readonly number[];
}

/** Returns the interquartile range of the yardstick as a share of its median: mean over lists of readings. */
function machineSpread(lists: readonly Readings[]): number {
  if (lists.length === 0) return 0;
  return mean(lists.map(({ yardstick_ms }) => {
    const [q1, q2, q3] = [25, 50, 75].map((p) => percentile(yardstick_ms, p));
    return (q3! - q1!) / q2!;
  }));
}

function drifted({ e2e_ms: { samples } }: Cell): boolean {
  const half = Math.floor(samples.length / 2);
  if (half < 3) return false;
  const relation = ratioOf(samples.slice(0, half), samples.slice(-half));
  return ["faster", "slower"].includes(verdictOf(relation, DRIFT));
}
