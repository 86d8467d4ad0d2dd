/** Charts of time: over the context, per request, and its distribution. */
import type { Cell } from "../../measure/record/cell.ts";
import { latencySteps } from "../../measure/findings/latency_steps.ts";
import { lengthsOf, overviewCells } from "../../measure/findings/overview.ts";
import type { BenchResult } from "../../measure/record/result.ts";
import { percentile } from "../../measure/statistics/statistics.ts";
import { inEnglish, inWords, type Say } from "../lang.ts";
import { formatMs } from "../units.ts";
import { axisFor, type BarFigure, type LineFigure, type LineSeries } from "./figure.ts";
import { colourOf, lineOf } from "./strategy_line.ts";

/** Charts the gap before each token over the length of its context, for all lengths that were measured. */
export function perTokenFigure(result: BenchResult, t: Say = inEnglish): LineFigure | undefined {
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
  const steps = shown.flatMap((cell, i) =>
    (latencySteps(cell) ?? []).map((step) => ({ ...step, line: byLength[i]! }))
  );
  const stepMarks: LineSeries[] = steps.length === 0 ? [] : [{
    name: t`step`,
    colour: "here",
    points: steps.map(({ context, line }) => [context, line.get(context)!] as const),
    labels: steps.map(({ changeMs, kind }) =>
      `${changeMs < 0 ? "−" : "+"}${formatMs(Math.abs(changeMs))}${kind === "single" ? t` once` : ""}`
    ),
    marks: "only points",
  }];
  return {
    kind: "lines",
    id: "latency-per-token",
    title: t`Latency per token by context length`,
    caption:
      t`The gap before each new token: median over runs with a fence behind each token. Without a cache,
        every token recomputes the whole context.`,
    x: {
      title: t`context (tokens)`,
      unit: t`tokens`,
      log: false,
      min: lengths[0]! - (lengths.length === 1 ? 1 : 0),
      max: lengths.at(-1)!,
    },
    y: axisFor("ms", "ms", lines.flatMap(({ parts }) => parts.flat().map(([, ms]) => ms)), t),
    series: [
      ...lines.map(({ cell: { strategy }, parts }): LineSeries => ({
        ...lineOf(strategy),
        points: parts.flatMap((part, i) => i === 0 ? part : [[part[0]![0], null] as const, ...part]),
        marks: parts.flat().length === 1 ? "points" : "none",
      })),
      ...stepMarks,
    ],
    table: {
      head: [t`context (tokens)`, ...shown.map(({ strategy }) => t`${strategy} (ms)`)],
      rows: lengths.map((n) => [n, ...byLength.map((line) => line.get(n) ?? null)]),
    },
  };
}

/** The times of a request, each with a chart of its own, since they differ too much for one axis from zero. */
const TIMES = [
  { id: "ttft", title: inEnglish`Time to first token (TTFT)`, of: (cell: Cell) => cell.ttft_ms },
  { id: "tpot", title: inEnglish`Time per output token (TPOT)`, of: (cell: Cell) => cell.tpot_ms },
  { id: "total", title: inEnglish`Whole request (E2E)`, of: (cell: Cell) => cell.e2e_ms },
];

/** Charts TTFT, TPOT and E2E by strategy, with the intervals of the medians. */
export function timesFigures(result: BenchResult, t: Say = inEnglish): BarFigure[] {
  const cells = overviewCells(result);
  return TIMES.flatMap(({ id, title, of }): BarFigure[] => {
    const times = cells.flatMap((cell) => {
      const summary = of(cell);
      return summary === null ? [] : [{ strategy: cell.strategy, summary }];
    });
    if (times.length === 0) return [];
    const last = Math.max(...times.map(({ summary }) => summary.median_ci?.[1] ?? summary.median));
    return [{
      kind: "bars",
      id: `latency-${id}`,
      title: inWords(title, t),
      caption: t`Medians of ${
        times[0]!.summary.samples.length
      } runs. Whiskers are 95 % bootstrap intervals of the median.`,
      categories: [""],
      x: { title: "ms", unit: "ms", log: false, min: 0, max: last },
      series: times.map(({ strategy, summary: { median, median_ci } }) => ({
        name: strategy,
        colour: colourOf(strategy),
        values: [median],
        intervals: [median_ci],
        labels: [formatMs(median)],
      })),
      stacked: false,
      table: {
        head: [t`strategy`, t`median (ms)`, t`95 % from (ms)`, t`95 % to (ms)`, t`runs`],
        rows: times.map(({ strategy, summary: { median, median_ci, samples } }) => [
          strategy,
          median,
          ...median_ci ?? [null, null],
          samples.length,
        ]),
      },
    }];
  });
}

/** Charts the share of gaps that are at most so long. */
export function distributionFigure(result: BenchResult, t: Say = inEnglish): LineFigure | undefined {
  const cells = overviewCells(result).filter(({ itl_ms }) => itl_ms !== null);
  if (cells.length === 0) return undefined;
  const curves = cells.map(({ itl_ms }) => {
    const gaps = itl_ms!.runs.flat().toSorted((a, b) => a - b);
    return Array.from({ length: 101 }, (_, share) => [percentile(gaps, share), share] as const);
  });
  const x = axisFor(t`gap between tokens (ms)`, "ms", curves.flat().map(([ms]) => ms), t);
  return {
    kind: "lines",
    id: "itl-distribution",
    title: t`Distribution of inter-token latency`,
    caption: t`Share of all gaps between tokens that are at most so many ms. A curve further left is faster, a
        steeper one is steadier.`,
    x,
    y: { title: t`% of gaps`, unit: "%", log: false, min: 0, max: 100 },
    series: cells.map(({ strategy }, i) => ({
      ...lineOf(strategy),
      points: curves[i]!,
      marks: "none",
    })),
    table: {
      head: [t`strategy`, t`median (ms)`, t`p90 (ms)`, t`p95 (ms)`, t`p99 (ms)`, t`longest (ms)`, t`gaps`],
      rows: cells.map(({ strategy, itl_ms }) => {
        const { median, p90, p95, p99, max, runs } = itl_ms!;
        return [strategy, median, p90, p95, p99, max, runs.flat().length];
      }),
    },
  };
}
