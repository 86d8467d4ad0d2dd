/** The configuration of Chart.js for a figure, the same for a canvas here and in a browser. */
import type { ChartConfiguration, ChartDataset } from "npm:chart.js@4.6.1";
import { formatCount, formatSignificant } from "../units.ts";
import type { Axis, BarFigure, DotFigure, Figure, LineFigure } from "./figure.ts";
import { marks, POINT_RADIUS } from "./marks.ts";
import { cssOf, type Theme } from "./palette.ts";

/** Most bars of which each has its name. */
const MOST_NAMES = 20;

/** Options of a drawing. */
export interface DrawOptions {
  readonly theme: Theme;
  /** Size of plain text in pixels. */
  readonly fontSize: number;
  /** Title above the figure. Default: none. */
  readonly title?: string | undefined;
  /** Names several series below the figure. */
  readonly legend: boolean;
  /** Fits the figure into its container and answers a pointer. */
  readonly interactive: boolean;
}

/** Makes the configuration of a figure. */
export function chartConfig(figure: Figure, options: DrawOptions): ChartConfiguration {
  const config = figure.kind === "bars"
    ? barConfig(figure, options)
    : figure.kind === "dots"
    ? dotConfig(figure, options)
    : lineConfig(figure, options);
  return { ...config, plugins: [marks(figure, options.theme, options.fontSize)] };
}

function lineConfig(figure: LineFigure, options: DrawOptions): ChartConfiguration {
  const { theme } = options;
  const datasets = figure.series.map((series): ChartDataset<"line"> => {
    const colour = cssOf(series.colour, theme);
    return {
      label: series.name,
      data: series.points.map(([x, y]) => ({ x, y: y ?? NaN })),
      borderColor: colour,
      backgroundColor: colour,
      borderWidth: 2.5,
      borderDash: series.dashed ? [8, 6] : [],
      fill: figure.stacked ?? false ? "stack" : false,
      showLine: series.marks !== "only points",
      pointRadius: series.marks === "none" ? 0 : POINT_RADIUS,
      pointHoverRadius: 5,
      order: series.dashed ? 0 : 1,
      yAxisID: series.right ? "right" : "y",
      spanGaps: false,
    };
  });
  const right = figure.right && {
    right: { ...scale(figure.right, options), position: "right" as const, grid: { display: false } },
  };
  return {
    type: "line",
    data: { datasets },
    options: {
      ...frame(figure, options),
      interaction: { mode: "nearest", axis: "x", intersect: false },
      scales: {
        x: scale(figure.x, options),
        y: { ...scale(figure.y, options), stacked: figure.stacked ?? false },
        ...right,
      },
    },
  };
}

function barConfig(figure: BarFigure, options: DrawOptions): ChartConfiguration {
  const { theme, fontSize } = options;
  const { categoryColours } = figure;
  const datasets = figure.series.map((series): ChartDataset<"bar"> => ({
    label: series.name,
    data: series.from === undefined
      ? [...series.values]
      : series.values.map((end, i): [number, number] | null => end === null ? null : [series.from![i]!, end]),
    grouped: series.from === undefined,
    backgroundColor: cssOf(series.colour, theme),
    barPercentage: figure.stacked ? 0.75 : 0.88,
    categoryPercentage: figure.stacked ? 0.8 : 0.82,
    maxBarThickness: figure.stacked ? 60 : 44,
  }));
  return {
    type: "bar",
    data: { labels: figure.categories.map((text) => typeof text === "string" ? text : [...text]), datasets },
    options: {
      ...frame(figure, options),
      indexAxis: "y",
      scales: {
        x: { ...scale(figure.x, options), stacked: figure.stacked },
        y: {
          stacked: figure.stacked,
          grid: { display: false },
          border: { color: theme.faint },
          ticks: {
            // a bar without a name says nothing; numbers in order need not all be named
            autoSkip: figure.categories.length > MOST_NAMES,
            font: { size: fontSize + 1, weight: categoryColours ? 600 : 400 },
            color: ({ index }: { index: number }) => {
              const key = categoryColours?.[index];
              return key === undefined ? theme.ink : cssOf(key, theme);
            },
          },
        },
      },
    },
  };
}

function dotConfig(figure: DotFigure, options: DrawOptions): ChartConfiguration {
  const { theme, fontSize } = options;
  const datasets = figure.series.map((series): ChartDataset<"line"> => ({
    label: series.name,
    data: [...series.values],
    borderColor: cssOf(series.colour, theme),
    backgroundColor: cssOf(series.colour, theme),
    showLine: false,
    pointRadius: 5,
    pointHoverRadius: 6,
  }));
  return {
    type: "line",
    data: { labels: figure.categories.map((text) => typeof text === "string" ? text : [...text]), datasets },
    options: {
      ...frame(figure, options),
      indexAxis: "y",
      scales: {
        x: scale(figure.x, options),
        y: {
          type: "category" as const,
          offset: true,
          grid: { display: false },
          border: { color: theme.faint },
          ticks: { autoSkip: false, color: theme.ink, font: { size: fontSize } },
        },
      },
    },
  };
}

/** Returns the options that all figures share; nothing is animated. */
function frame(figure: Figure, { theme, fontSize, title, legend, interactive }: DrawOptions) {
  const texts = figure.kind === "lines"
    ? []
    : (figure.kind === "bars" && figure.ends) || figure.series.flatMap(({ labels }) => labels ?? []);
  // Room for the text behind the longest bar; digits are about 0.55 em wide.
  const right = Math.max(14, ...texts.map((text) => 14 + 0.57 * fontSize * text.length));
  return {
    responsive: interactive,
    maintainAspectRatio: false,
    animation: false as const,
    ...(interactive ? {} : { events: [] }),
    font: { family: theme.font, size: fontSize },
    layout: { padding: { top: 4, right, bottom: 4, left: 4 } },
    plugins: {
      legend: {
        display: legend && figure.series.length > 1,
        position: "bottom" as const,
        align: "start" as const,
        labels: {
          boxWidth: fontSize,
          boxHeight: figure.kind === "lines" ? 1 : fontSize,
          padding: fontSize,
          color: theme.ink,
          font: { size: fontSize },
          // In the figure's order, not in that of drawing.
          sort: (a: { datasetIndex?: number }, b: { datasetIndex?: number }) =>
            (a.datasetIndex ?? 0) - (b.datasetIndex ?? 0),
        },
      },
      title: {
        display: title !== undefined,
        text: title ?? "",
        align: "start" as const,
        color: theme.ink,
        font: { size: fontSize + 4, weight: 600 as const },
        padding: { top: 2, bottom: 12 },
      },
      tooltip: { enabled: interactive, callbacks: tooltipTexts(figure) },
    },
  };
}

/** Returns the texts of a tooltip: numbers with three digits and their unit. */
function tooltipTexts(figure: Figure) {
  type Item = { datasetIndex: number; dataIndex: number; parsed: { x: number; y: number }; label: string };
  if (figure.kind !== "lines") {
    const say = ({ datasetIndex, parsed }: Item) =>
      `${figure.series[datasetIndex]!.name}: ${formatSignificant(parsed.x)} ${figure.x.unit}`;
    return { label: (item: unknown) => say(item as Item) };
  }
  const say = ({ datasetIndex, dataIndex, parsed }: Item) => {
    const { name, right, labels } = figure.series[datasetIndex]!;
    const unit = (right ? figure.right! : figure.y).unit;
    return `${name}${labels ? ` ${labels[dataIndex]}` : ""}: ${formatSignificant(parsed.y)} ${unit}`;
  };
  return {
    title: (items: unknown[]) => {
      const first = items[0] as Item | undefined;
      return first === undefined
        ? ""
        : `${figure.x.title.replace(/(, log scale|，对数刻度)$/, "")}: ${formatSignificant(first.parsed.x)}`;
    },
    label: (item: unknown) => say(item as Item),
  };
}

function scale(axis: Axis, { theme, fontSize }: DrawOptions) {
  const { ticks: values } = axis;
  const leading = (axis.max ?? 1) / (axis.min || 1) > 5000 ? [1] : [1, 2, 5];
  return {
    type: axis.log ? "logarithmic" as const : "linear" as const,
    ...(axis.min !== undefined && { min: axis.min }),
    // points on the edge would be cut in half
    ...(axis.max !== undefined ? { max: axis.max } : axis.log ? {} : { grace: "5%" }),
    title: { display: axis.title !== "", text: axis.title, color: theme.ink, font: { size: fontSize } },
    grid: { color: theme.grid },
    border: { color: theme.faint },
    ticks: {
      color: theme.ink,
      font: { size: fontSize },
      includeBounds: false, // the bounds would be odd numbers beside the round ones
      maxRotation: 0,
      autoSkipPadding: 8,
      ...(axis.log && values === undefined
        ? { callback: (value: string | number) => logTick(Number(value), leading) }
        : values !== undefined
        ? { autoSkip: false, callback: (value: string | number) => String(value) }
        : {}),
    },
    ...(values !== undefined && {
      afterBuildTicks: (scale: { ticks: { value: number }[] }) => {
        scale.ticks = values.map((value) => ({ value }));
      },
    }),
  };
}

/** Labels a power of ten times one of `leading`; other ticks have no label. */
function logTick(value: number, leading: readonly number[]): string | null {
  const digit = value / 10 ** Math.floor(Math.log10(value) + 1e-9);
  if (!leading.includes(Math.round(digit * 1e6) / 1e6)) return null;
  return value < 1 ? String(Number(value.toPrecision(1))) : formatCount(value);
}
