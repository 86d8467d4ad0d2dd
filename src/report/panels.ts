/**
 * What each panel of the chart shows: pure functions from a bench result to a Chart.js configuration. Colours,
 * scales, units and labels are decided here; pixels are made elsewhere.
 *
 * @module
 */

import type { ChartConfiguration, ChartDataset, Plugin } from "npm:chart.js@4.6.1";
import type { StrategyName } from "../kv/strategy.ts";
import type { Cell } from "../measure/cell.ts";
import { overviewCells } from "../measure/overview.ts";
import type { BenchResult } from "../measure/result.ts";
import type { Summary } from "../measure/summary.ts";
import { FONT_FAMILY } from "./canvas.ts";
import { KV_PART_NAMES, KV_PARTS, kvMeans, type KvPart } from "./kv_memory.ts";
import { byteUnit, formatBytes, formatCount, formatMs, formatPercent } from "./units.ts";

/**
 * Colours that people with any colour vision tell apart: Okabe & Ito, https://jfly.uni-koeln.de/color/.
 * A strategy has the same colour in every panel.
 */
export const STRATEGY_COLOURS: Readonly<Record<StrategyName, string>> = {
  "no-cache": "#D55E00",
  "kv-cache": "#0072B2",
  "paged": "#009E73",
};

/** Colour of text on a chart. */
export const INK = "#222222";
/** Colour of secondary text on a chart. */
export const FAINT = "#666666";

const GRID = "#E4E4E4";
const LABEL_FONT = `13px "${FONT_FAMILY}"`;

const MEMORY = [
  { key: "weights", label: "weights", colour: "#BDBDBD" },
  { key: "activations", label: "activations", colour: "#E69F00" },
  { key: "kv", label: "K/V", colour: "#AA4488" },
  { key: "tables", label: "tables", colour: "#56B4E9" },
  { key: "staging", label: "staging", colour: "#555555" },
] as const;

const KV_COLOURS: Readonly<Record<KvPart, string>> = {
  used: "#882266",
  later: "#E69F00",
  internal: "#E3BFD5",
  external: "#9A9A9A",
  free: "#EFEFEF",
};

/** Ratio of largest to smallest value from which an axis is logarithmic. */
const LOG_RATIO = 20;

/**
 * Configuration of a line chart.
 *
 * @internal Tagged so because `deno doc --lint` takes types of other packages for private ones.
 */
export type LinePanel = ChartConfiguration<"line">;

/**
 * Configuration of a bar chart.
 *
 * @internal For the same reason.
 */
export type BarPanel = ChartConfiguration<"bar">;

/** Panel (a): the gap before each token over the length of the context it attends to. */
export function itlPanel(result: BenchResult): LinePanel {
  const cells = overviewCells(result);
  const gaps = cells.map(({ itl_ms }) => itl_ms?.by_token ?? []);
  const all = gaps.flat();
  const log = isWide(all);
  const first = cells[0]!.settings.prompt_tokens + 1;
  const last = cells[0]!.settings.prompt_tokens + Math.max(1, gaps[0]!.length);
  const title = all.length === 0
    ? "(a) Latency per token: one new token has none"
    : `(a) Latency per token by context length${log ? ", log scale" : ""}`;
  return {
    type: "line",
    data: {
      datasets: cells.map(({ strategy }, index) => ({
        label: strategy,
        data: gaps[index]!.map((ms, i) => ({ x: first + i, y: ms })),
        borderColor: STRATEGY_COLOURS[strategy],
        backgroundColor: STRATEGY_COLOURS[strategy],
        borderWidth: 2.5,
        // Dashes on top, because two caches often lie on one line.
        borderDash: strategy === "paged" ? [8, 8] : [],
        order: strategy === "paged" ? 0 : 1,
        pointRadius: gaps[index]!.length === 1 ? 4 : 0,
      })),
    },
    options: {
      ...frame(title),
      scales: {
        x: {
          type: "linear",
          display: all.length > 0,
          min: first - (last === first ? 1 : 0),
          max: last,
          ...axis("context (tokens)"),
        },
        y: { ...latencyAxis(log, all, { bars: false }), display: all.length > 0 },
      },
    },
  };
}

/** Panel (b): TTFT, TPOT and E2E per strategy, with the intervals of the medians. */
export function latencyPanel(result: BenchResult): BarPanel {
  const cells = overviewCells(result);
  const metrics = [
    { label: "TTFT", of: (entry: Cell) => entry.ttft_ms },
    ...(cells[0]!.settings.new_tokens > 1 ? [{ label: "TPOT", of: (entry: Cell) => entry.tpot_ms }] : []),
    { label: "total (E2E)", of: (entry: Cell) => entry.e2e_ms },
  ];
  const medians = cells.flatMap((entry) => metrics.map(({ of }) => of(entry)?.median ?? 0));
  const log = isWide(medians);
  return {
    type: "bar",
    data: {
      labels: metrics.map(({ label }) => label),
      datasets: cells.map((entry) => ({
        label: entry.strategy,
        data: metrics.map(({ of }) => of(entry)?.median ?? null),
        backgroundColor: STRATEGY_COLOURS[entry.strategy],
        barPercentage: 0.88,
        maxBarThickness: 44,
        categoryPercentage: 0.82,
      })),
    },
    options: {
      indexAxis: "y",
      ...frame(`(b) Median latency${log ? ", log scale" : ""}`),
      scales: {
        x: latencyAxis(log, medians, { bars: true }),
        y: { ...axis(), grid: { display: false }, ticks: { ...ticks(), font: { size: 15 } } },
      },
    },
    plugins: [rangesAndValues(cells.map((entry) => metrics.map(({ of }) => of(entry))))],
  };
}

/**
 * Panel (c): peak GPU memory by category, or (d) the same without the weights, which hide the rest. Categories may
 * peak at different times, so that a bar can be longer than the total that is written at its end.
 */
export function memoryPanel(
  result: BenchResult,
  weights: "with" | "without",
): BarPanel {
  const results = overviewCells(result);
  const categories = MEMORY.filter(({ key }) => weights === "with" || key !== "weights");
  const totals = results.map(({ memory: { peak_bytes: peak } }) =>
    weights === "with" ? peak.total : categories.reduce((sum, { key }) => sum + peak[key], 0)
  );
  const stacks = categories.map(({ key, label, colour }) => ({
    label,
    colour,
    bytes: results.map(({ memory }) => memory.peak_bytes[key]),
  }));
  const title = weights === "with" ? "(c) Peak GPU memory" : "(d) Peak GPU memory without weights";
  return stackedBytes(title, results.map(({ strategy }) => [strategy]), results, stacks, totals);
}

/** Panel (e): what the K/V memory holds on average: used, wasted for a reason, or free for other requests. */
export function kvPanel(result: BenchResult): BarPanel {
  const cells = overviewCells(result);
  const means = cells.map(kvMeans);
  const stacks = KV_PARTS.map((part) => ({
    label: KV_PART_NAMES[part],
    colour: KV_COLOURS[part],
    bytes: means.map((each) => each[part]),
  }));
  const reserved = means.map(({ used, later, internal }) => used + later + internal);
  const labels = cells.map(({ strategy }, i) => [
    strategy,
    `${formatPercent(means[i]!.used, reserved[i]!)} used`,
  ]);
  const totals = means.map((each) => KV_PARTS.reduce((sum, part) => sum + each[part], 0));
  const written = totals.map((total, i) =>
    reserved[i] === total ? formatBytes(total) : `${formatBytes(reserved[i]!)} of ${formatBytes(total)}`
  );
  return stackedBytes("(e) K/V memory, mean over the request", labels, cells, stacks, totals, written);
}

/** Horizontal bars of bytes, one per strategy, stacked from `stacks` up to `totals`, with a text at each end. */
function stackedBytes(
  title: string,
  labels: string[][],
  results: readonly Cell[],
  stacks: readonly { label: string; colour: string; bytes: number[] }[],
  totals: readonly number[],
  written: readonly string[] = totals.map(formatBytes),
): BarPanel {
  const largest = Math.max(...totals, 1);
  const unit = byteUnit(largest);
  const options = frame(title);
  return {
    type: "bar",
    data: {
      labels,
      datasets: stacks.map(({ label, colour, bytes }): ChartDataset<"bar"> => ({
        label,
        data: bytes.map((value) => value / unit.bytes),
        backgroundColor: colour,
        barPercentage: 0.75,
        maxBarThickness: 60,
      })),
    },
    options: {
      indexAxis: "y",
      ...options,
      plugins: {
        ...options.plugins,
        legend: {
          position: "bottom",
          align: "start",
          labels: { boxWidth: 13, boxHeight: 13, padding: 12, color: INK, font: { size: 13 } },
        },
      },
      scales: {
        x: {
          type: "linear",
          stacked: true,
          beginAtZero: true,
          max: (largest * (1.1 + 0.028 * Math.max(...written.map((text) => text.length)))) / unit.bytes,
          ...axis(unit.name),
        },
        y: {
          stacked: true,
          ...axis(),
          grid: { display: false },
          ticks: {
            ...ticks(),
            font: { size: 14, weight: 600 },
            color: ({ index }: { index: number }) => STRATEGY_COLOURS[results[index]?.strategy ?? "paged"],
          },
        },
      },
    },
    plugins: [stackTotals(written)],
  };
}

/** Options that all panels share. Nothing animates, resizes or listens: a panel is drawn once. */
function frame(title: string) {
  return {
    responsive: false,
    animation: false,
    events: [],
    font: { family: `"${FONT_FAMILY}"` },
    layout: { padding: { top: 4, right: 14, bottom: 4, left: 4 } },
    plugins: {
      legend: { display: false },
      title: {
        display: true,
        text: title,
        align: "start",
        color: INK,
        font: { size: 17, weight: 600 },
        padding: { top: 2, bottom: 12 },
      },
    },
  } as const satisfies ChartConfiguration["options"];
}

function ticks() {
  // Without the bounds, which would be odd numbers beside the round ones.
  return { color: INK, font: { size: 13 }, includeBounds: false, maxRotation: 0 };
}

/** Looks of an axis with the title `text`, or without one. */
function axis(text = "") {
  return {
    title: { display: text !== "", text, color: INK, font: { size: 14 } },
    grid: { color: GRID },
    border: { color: "#999999" },
    ticks: ticks(),
  };
}

/**
 * An axis of milliseconds for `values`.
 *
 * @param options.bars Whether bars stand on it, whose length counts and which need room for a label.
 */
function latencyAxis(log: boolean, values: readonly number[], { bars }: { bars: boolean }) {
  const largest = Math.max(...values, 0);
  const room = bars ? { suggestedMax: largest * 1.22 } : {};
  if (!log) return { type: "linear" as const, beginAtZero: true, ...room, ...axis("ms") };
  const smallest = Math.min(...values.filter((value) => value > 0));
  // A logarithmic bar has no zero to stand on: it begins at a power of ten that leaves the shortest one visible.
  const min = bars ? 10 ** Math.floor(Math.log10(smallest / 2)) : smallest * 0.7;
  const max = bars ? largest * (largest / min) ** 0.2 : largest * 1.3;
  const leading = max / min > 5000 ? [1] : [1, 2, 5];
  return {
    type: "logarithmic" as const,
    min,
    max,
    ...axis("ms"),
    ticks: { ...ticks(), callback: (value: string | number) => logTick(Number(value), leading) },
  };
}

/** Labels only the powers of ten times one of `leading`. */
function logTick(value: number, leading: readonly number[]): string | null {
  const digit = value / 10 ** Math.floor(Math.log10(value) + 1e-9);
  if (!leading.includes(Math.round(digit * 1e6) / 1e6)) return null;
  return value < 1 ? String(Number(value.toPrecision(1))) : formatCount(value);
}

function isWide(values: readonly number[]): boolean {
  const positive = values.filter((value) => value > 0);
  return positive.length > 0 && Math.max(...positive) / Math.min(...positive) > LOG_RATIO;
}

/** Draws, over bars grouped as `timings[dataset][index]`, the interval of the median and the median in words. */
function rangesAndValues(timings: readonly (readonly (Summary | null)[])[]): Plugin<"bar"> {
  return {
    id: "rangesAndValues",
    afterDatasetsDraw(chart) {
      const ctx: LabelContext = chart.ctx;
      const scale = chart.scales["x"];
      if (scale === undefined) return;
      timings.forEach((row, dataset) =>
        row.forEach((summary, index) => {
          const bar = chart.getDatasetMeta(dataset).data[index];
          if (bar === undefined || summary === null) return;
          const { median, median_ci } = summary;
          let end = bar.x;
          if (median_ci !== null) {
            const [from, to] = median_ci.map((ms) => scale.getPixelForValue(ms));
            end = Math.max(end, to ?? end);
            ctx.fillStyle = INK;
            ctx.fillRect(from ?? end, bar.y - 0.75, end - (from ?? end), 1.5);
            for (const x of [from ?? end, end]) ctx.fillRect(x - 0.75, bar.y - 4, 1.5, 8);
          }
          writeAfter(ctx, formatMs(median), end, bar.y);
        })
      );
    },
  };
}

/** Writes `totals[index]` after the last of the bars stacked at that index. */
function stackTotals(totals: readonly string[]): Plugin<"bar"> {
  return {
    id: "stackTotals",
    afterDatasetsDraw(chart) {
      const bars = chart.getSortedVisibleDatasetMetas().map(({ data }) => data);
      totals.forEach((text, index) => {
        const stack = bars.flatMap((data) => data[index] ?? []).filter(({ x }) => Number.isFinite(x));
        writeAfter(chart.ctx, text, Math.max(...stack.map(({ x }) => x)), stack[0]?.y ?? NaN);
      });
    },
  };
}

/** The part of a 2D context that the labels use. Deno's library has no type for one. */
interface LabelContext {
  font: string;
  fillStyle: string;
  textAlign: string;
  textBaseline: string;
  fillRect(x: number, y: number, width: number, height: number): void;
  fillText(text: string, x: number, y: number): void;
}

function writeAfter(ctx: LabelContext, text: string, x: number, y: number): void {
  ctx.font = LABEL_FONT;
  ctx.fillStyle = INK;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  ctx.fillText(text, x + 7, y);
}
