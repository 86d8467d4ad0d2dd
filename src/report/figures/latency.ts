/**
 * Charts of time: over the context, per request, and its distribution.
 *
 * @module
 */
import type { Cell } from "../../measure/record/cell.ts";
import { lengthsOf, overviewCells } from "../../measure/findings/overview.ts";
import type { BenchResult } from "../../measure/record/result.ts";
import { percentile } from "../../measure/statistics/statistics.ts";
import { formatMs } from "../units.ts";
import { axisFor, barAxisFor, type BarFigure, type LineFigure } from "./figure.ts";
import { colourOf, lineOf } from "./strategy_line.ts";

/** Charts the gap before each token over the length of its context, for all lengths that were measured. */
export function perTokenFigure(result: BenchResult): LineFigure | undefined {
  const shown = overviewCells(result).filter(({ itl_ms }) => itl_ms !== null);
  if (shown.length === 0) return undefined;
  const lines = shown.map((cell) => ({
    cell,
    parts: lengthsOf(cell, result.cells).filter(({ itl_ms }) => itl_ms !== null)
      .sort((a, b) => a.settings.prompt_tokens - b.settings.prompt_tokens)
      .map(({ itl_ms, settings }) =>
        itl_ms!.by_token.map((ms, i) => [settings.prompt_tokens + 1 + i, ms] as const)
      ),
  }));
  const lengths = [...new Set(lines.flatMap(({ parts }) => parts.flat().map(([n]) => n)))].sort((a, b) =>
    a - b
  );
  const byLength = lines.map(({ parts }) => new Map(parts.flat()));
  return {
    kind: "lines",
    id: "latency-per-token",
    title: "Latency per token by context length",
    caption:
      "The gap before each new token: median over runs with a fence behind each token. Without a cache, every " +
      "token recomputes the whole context.",
    x: {
      title: "context (tokens)",
      unit: "tokens",
      log: false,
      min: lengths[0]! - (lengths.length === 1 ? 1 : 0),
      max: lengths.at(-1)!,
    },
    y: axisFor("ms", "ms", lines.flatMap(({ parts }) => parts.flat().map(([, ms]) => ms))),
    series: lines.map(({ cell: { strategy }, parts }) => ({
      ...lineOf(strategy),
      points: parts.flatMap((part, i) => i === 0 ? part : [[part[0]![0], null] as const, ...part]),
      marks: parts.flat().length === 1 ? "points" : "none",
    })),
    table: {
      head: ["context (tokens)", ...shown.map(({ strategy }) => `${strategy} (ms)`)],
      rows: lengths.map((n) => [n, ...byLength.map((line) => line.get(n) ?? null)]),
    },
  };
}

/** Charts TTFT, TPOT and E2E per strategy, with the intervals of the medians. */
export function timesFigure(result: BenchResult): BarFigure {
  const cells = overviewCells(result);
  const metrics = [
    { label: "TTFT", of: (cell: Cell) => cell.ttft_ms },
    ...(cells[0]!.settings.new_tokens > 1 ? [{ label: "TPOT", of: (cell: Cell) => cell.tpot_ms! }] : []),
    { label: "total (E2E)", of: (cell: Cell) => cell.e2e_ms },
  ];
  const ends = cells.flatMap((cell) => metrics.map(({ of }) => of(cell).median_ci?.[1] ?? of(cell).median));
  return {
    kind: "bars",
    id: "latency",
    title: "Median latency",
    caption:
      "Time to first token (TTFT), time per output token (TPOT) and time of the whole request (E2E). Whiskers " +
      "are 95 % bootstrap intervals of the median.",
    categories: metrics.map(({ label }) => label),
    x: barAxisFor("ms", "ms", ends),
    series: cells.map((cell) => ({
      name: cell.strategy,
      colour: colourOf(cell.strategy),
      values: metrics.map(({ of }) => of(cell).median),
      intervals: metrics.map(({ of }) => of(cell).median_ci),
      labels: metrics.map(({ of }) => formatMs(of(cell).median)),
    })),
    stacked: false,
    table: {
      head: ["strategy", "time", "median (ms)", "95 % from (ms)", "95 % to (ms)", "runs"],
      rows: cells.flatMap((cell) =>
        metrics.map(({ label, of }) => {
          const { median, median_ci, samples } = of(cell);
          return [cell.strategy, label, median, ...median_ci ?? [null, null], samples.length];
        })
      ),
    },
  };
}

/** Charts the share of gaps that are at most so long. */
export function distributionFigure(result: BenchResult): LineFigure | undefined {
  const cells = overviewCells(result).filter(({ itl_ms }) => itl_ms !== null);
  if (cells.length === 0) return undefined;
  const curves = cells.map(({ itl_ms }) => {
    const gaps = itl_ms!.runs.flat().toSorted((a, b) => a - b);
    return Array.from({ length: 101 }, (_, share) => [percentile(gaps, share), share] as const);
  });
  const x = axisFor("gap between tokens (ms)", "ms", curves.flat().map(([ms]) => ms));
  return {
    kind: "lines",
    id: "itl-distribution",
    title: "Distribution of inter-token latency",
    caption:
      "Share of all gaps between tokens that are at most so many ms. A curve further left is faster, a steeper " +
      "one is steadier.",
    x,
    y: { title: "% of gaps", unit: "%", log: false, min: 0, max: 100 },
    series: cells.map(({ strategy }, i) => ({
      ...lineOf(strategy),
      points: curves[i]!,
      marks: "none",
    })),
    table: {
      head: ["strategy", "median (ms)", "p90 (ms)", "p95 (ms)", "p99 (ms)", "longest (ms)", "gaps"],
      rows: cells.map(({ strategy, itl_ms }) => {
        const { median, p90, p95, p99, max, runs } = itl_ms!;
        return [strategy, median, p90, p95, p99, max, runs.flat().length];
      }),
    },
  };
}
