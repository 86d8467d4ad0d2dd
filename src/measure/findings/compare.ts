/**
 * The comparison of two results: cells with the same settings are matched, and their times related. Two files are
 * never timed in turns, so that a machine that is slower the second time looks like a slower program. So there are
 * three relations: of the raw times, of the times divided by the yardstick beside them, and of the times divided by
 * those of the other cells in the same round. A difference counts where two of the three show it: a slower machine
 * shows in the first alone, a change of one strategy in all three, a change of all strategies in the first two.
 */
import { isDeepEqual } from "../../base/equal.ts";
import { BACKEND_TITLES, mayBeSameBackend } from "../../gpu/backend.ts";
import type { Cell } from "../record/cell.ts";
import { cellKey, type CellPlan } from "../run/grid.ts";
import { type Ratio, ratioOf, type Verdict, verdictOf } from "../statistics/ratio.ts";
import type { BenchResult } from "../record/result.ts";
import { mean, median } from "../statistics/statistics.ts";

/** The times that are compared. */
const COMPARED: readonly ComparedMetric[] = ["ttft_ms", "tpot_ms", "e2e_ms"];
/** A time that is compared. */
type ComparedMetric = MetricComparison["metric"];

/** One time of one cell in both results. */
export interface MetricComparison {
  /** The time that is compared. */
  readonly metric: "ttft_ms" | "tpot_ms" | "e2e_ms";
  /** Median before. */
  readonly before: number;
  /** Median after. */
  readonly after: number;
  /** Ratio of the raw times. */
  readonly raw: Ratio;
  /** Ratio of the times divided by the yardstick's; null for different machines. */
  readonly byYardstick: Ratio | null;
  /** Ratio of the times divided by the other cells' in the same round; null for one cell, or different machines. */
  readonly byOthers: Ratio | null;
  /** The relation that these three come to. */
  readonly together: Ratio;
  /** The verdict on them. */
  readonly verdict: Verdict;
}

interface CellComparison {
  /** Strategy and settings. */
  readonly cell: CellPlan;
  /** TTFT, TPOT where there is one, and E2E. */
  readonly metrics: readonly MetricComparison[];
  /** Peak of GPU memory before and after, in bytes. */
  readonly peakBytes: readonly [before: number, after: number];
  /** True if the token ids are the same. */
  readonly sameIds: boolean;
}

/** Two results side by side. */
export interface Comparison {
  /** Cells that are in both. */
  readonly pairs: readonly CellComparison[];
  /** Cells that are only in the earlier result. */
  readonly missing: readonly CellPlan[];
  /** Cells that are only in the later result. */
  readonly added: readonly CellPlan[];
  /** Differences of machine, program and model, in words. */
  readonly differences: readonly string[];
  /** Ratio of the yardstick's medians; null for different machines, or where no cell is in both. */
  readonly machine: number | null;
}

/**
 * Compares two results.
 *
 * @param threshold The share below which differences are ignored.
 * @param onProgress Called after each cell that is in both, with the number of those compared so far.
 */
export function compareResults(
  before: BenchResult,
  after: BenchResult,
  threshold: number,
  onProgress: (done: number) => void = () => {},
): Comparison {
  const later = new Map(after.cells.map((cell) => [cellKey(cell), cell]));
  const earlier = new Set(before.cells.map(cellKey));
  const [was, is] = [before, after].map(({ environment: { adapter } }) => adapter.backend);
  const sameMachine = isDeepEqual(machineOf(before), machineOf(after)) && mayBeSameBackend(was!, is!);
  const matched = before.cells.flatMap((cell) => {
    const other = later.get(cellKey(cell));
    return other === undefined ? [] : [[cell, other] as const];
  });
  const inTurnsWith = (pair: Pair) =>
    matched.filter((other) =>
      other !== pair && other[0].group === pair[0].group && other[1].group === pair[1].group
    );
  return {
    pairs: matched.map((pair, i) => {
      const compared = compareCells(pair, inTurnsWith(pair), { threshold, sameMachine });
      onProgress(i + 1);
      return compared;
    }),
    missing: before.cells.filter((cell) => !later.has(cellKey(cell))),
    added: after.cells.filter((cell) => !earlier.has(cellKey(cell))),
    differences: differences(before, after),
    machine: sameMachine && matched.length > 0
      ? median(matched.map(([a, b]) => median(b.yardstick_ms) / median(a.yardstick_ms)))
      : null,
  };
}

/** A cell in both results. */
type Pair = readonly [before: Cell, after: Cell];

function compareCells(
  pair: Pair,
  others: readonly Pair[],
  { threshold, sameMachine }: { threshold: number; sameMachine: boolean },
): CellComparison {
  const [before, after] = pair;
  const metrics = COMPARED.flatMap((metric): MetricComparison[] => {
    if (before[metric] === null || after[metric] === null) return [];
    const relate = (of: (cell: Cell, side: 0 | 1) => readonly number[]) =>
      ratioOf(of(before, 0), of(after, 1));
    const times = (cell: Cell) => cell[metric]!.samples;
    const raw = relate(times);
    const byYardstick = sameMachine
      ? relate((cell) => times(cell).map((ms, run) => ms / cell.yardstick_ms[run]!))
      : null;
    const byOthers = sameMachine && others.length > 0
      ? relate((cell, side) =>
        times(cell).map((ms, run) => ms / geometricMean(others.map((other) => times(other[side])[run]!)))
      )
      : null;
    const together = combine([raw, byYardstick, byOthers].filter((relation) => relation !== null));
    return [{
      metric,
      before: before[metric].median,
      after: after[metric].median,
      raw,
      byYardstick,
      byOthers,
      together,
      verdict: verdictOf(together, threshold),
    }];
  });
  return {
    cell: { strategy: after.strategy, settings: after.settings },
    metrics,
    peakBytes: [before.memory.peak_bytes.total, after.memory.peak_bytes.total],
    sameIds: isDeepEqual(before.token_ids, after.token_ids),
  };
}

/**
 * Combines relations: of three, the median of each end, so that an end lies beyond a threshold where it does in two of
 * them; of two, the union of their intervals.
 */
function combine(relations: readonly Ratio[]): Ratio {
  const [first, second, third] = relations;
  if (second === undefined) return first!;
  const intervals = relations.flatMap(({ interval }) => interval === null ? [] : [interval]);
  const [lower, upper] = [intervals.map(([low]) => low), intervals.map(([, high]) => high)];
  const ps = relations.map(({ p }) => p);
  const few = third === undefined;
  return {
    ratio: few ? first!.ratio : median(relations.map(({ ratio }) => ratio)),
    interval: intervals.length < relations.length
      ? null
      : few
      ? [Math.min(...lower), Math.max(...upper)]
      : [median(lower), median(upper)],
    p: few ? Math.max(...ps) : median(ps),
    enough: relations.every(({ enough }) => enough),
  };
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(mean(values.map(Math.log)));
}

function machineOf({ environment: { adapter, cpu, os, arch } }: BenchResult): unknown {
  const { description, vendor, architecture, device, software } = adapter;
  return [description, vendor, architecture, device, software, cpu, os, arch];
}

/** Facts that may explain a difference, by title. */
const CONTEXT: Readonly<Record<string, (result: BenchResult) => unknown>> = {
  "adapter": ({ environment: { adapter } }) => adapter.description,
  "backend": ({ environment: { adapter } }) => BACKEND_TITLES[adapter.backend],
  "CPU": ({ environment: { cpu } }) => `${cpu.model ?? "unknown"}, ${cpu.cores} cores`,
  "operating system": ({ environment: { os, os_release } }) => `${os} ${os_release ?? ""}`.trim(),
  "Deno": ({ environment: { deno } }) => deno,
  "kvbench": ({ environment: { kvbench } }) => kvbench,
  "commit": ({ environment: { git_commit } }) => git_commit?.slice(0, 10) ?? "unknown",
  "kernels": ({ environment: { kernels_sha256 } }) => kernels_sha256.slice(0, 10),
  "kernel variants": ({ environment: { tuning } }) => JSON.stringify(tuning),
  "model": ({ model: { name } }) => name,
  "weights": ({ model: { weights } }) =>
    weights.source === "checkpoint" ? weights.sha256.slice(0, 10) : `synthetic, seed ${weights.seed}`,
  "type of weights": ({ model: { weights_dtype } }) => weights_dtype,
  "prompt": ({ plan: { prompt, prompt_ids, seed } }) =>
    prompt ?? (prompt_ids === null ? `made up, seed ${seed}` : `ids ${prompt_ids.slice(0, 4)}…`),
};

function differences(before: BenchResult, after: BenchResult): string[] {
  return Object.entries(CONTEXT).flatMap(([what, of]) => {
    const [a, b] = [of(before), of(after)];
    return a === b ? [] : [`${what}: ${a} before, ${b} after`];
  });
}

/** Lists regressions by more than `limit`: slower times, and a higher peak of memory. */
export function regressions({ pairs }: Comparison, limit: number): { cell: CellPlan; what: string }[] {
  return pairs.flatMap(({ cell, metrics, peakBytes: [before, after] }) => [
    ...metrics.filter(({ together }) => verdictOf(together, limit) === "slower")
      .map(({ metric }) => ({ cell, what: metric })),
    ...(after > before * (1 + limit) ? [{ cell, what: "peak memory" }] : []),
  ]);
}
