/**
 * The content of a chart as plain data, which is drawn on a canvas here or in a browser, with a table of its numbers.
 * `chart_config.ts` draws it.
 */
import { inEnglish, type Say } from "../lang.ts";
import type { Interval } from "../../measure/statistics/bootstrap.ts";
import type { KvPart } from "../kv_memory.ts";

/** The meaning of a colour, which is the same in every chart. */
export type ColourKey =
  | "weights"
  | "activations"
  | "kv"
  | "tables"
  | "staging"
  | KvPart
  | "waste"
  | "roof"
  | "prefill"
  | "decode"
  | "here"
  | "paper"
  | "recompute"
  | "swap"
  | "gained"
  | "lost";

/** The colour of a meaning, or one that comes with the chart: that of a strategy. */
export type Colour = ColourKey | { readonly light: string; readonly dark: string };

export interface Axis {
  /** Title with the unit. */
  readonly title: string;
  /** Unit for a tooltip. */
  readonly unit: string;
  readonly log: boolean;
  /** First value. Default: 0 or a round number. */
  readonly min?: number;
  /** Last value. Default: a round number. */
  readonly max?: number;
  /** Values that are labelled. Default: chosen by the scale. */
  readonly ticks?: readonly number[];
}

/** Numbers behind a chart: plain values, as exact as the result has them. */
export interface FigureTable {
  /** Column titles, with units. */
  readonly head: readonly string[];
  /** Rows; null for an empty cell. */
  readonly rows: readonly (readonly (string | number | null)[])[];
}

interface Common {
  /** Name of the file or anchor: lower case with hyphens. */
  readonly id: string;
  readonly title: string;
  /** Instructions to read the chart, in a sentence or two. */
  readonly caption: string;
  readonly table: FigureTable;
}

/** One line of a line chart. */
export interface LineSeries {
  readonly name: string;
  readonly colour: Colour;
  /** Points in order; a null y interrupts the line. */
  readonly points: readonly (readonly [x: number, y: number | null])[];
  /** Confidence interval of each point. */
  readonly intervals?: readonly (Interval | null)[];
  readonly dashed?: boolean;
  /** Marks of the points: none, points on the line, or points without a line. */
  readonly marks: "none" | "points" | "only points";
  /** Names of the points, written beside them. */
  readonly labels?: readonly string[];
  /** Puts the line on the right axis. */
  readonly right?: boolean;
}

/** A chart of lines. */
export interface LineFigure extends Common {
  readonly kind: "lines";
  readonly x: Axis;
  readonly y: Axis;
  readonly right?: Axis;
  readonly series: readonly LineSeries[];
  /** Fills the areas between the lines, which are sums from the first series on. Default: false. */
  readonly stacked?: boolean;
}

/** One set of bars: a bar per category. */
export interface BarSeries {
  readonly name: string;
  readonly colour: Colour;
  /** Ends of the bars; null for no bar. */
  readonly values: readonly (number | null)[];
  /** Beginnings of the bars, which then lie on the same row as those of other series. Default: all at 0. */
  readonly from?: readonly number[];
  /** Confidence intervals of the lengths. */
  readonly intervals?: readonly (Interval | null)[];
  /** Text behind each bar. */
  readonly labels?: readonly string[];
}

/** A chart of horizontal bars, beside each other or stacked. */
export interface BarFigure extends Common {
  readonly kind: "bars";
  /** Label of each row of bars, in one line or several. */
  readonly categories: readonly (string | readonly string[])[];
  readonly categoryColours?: readonly Colour[];
  readonly x: Axis;
  readonly series: readonly BarSeries[];
  readonly stacked: boolean;
  /** Text behind each stack. */
  readonly ends?: readonly string[];
}

/** A chart of dots with intervals, a row a category, on an axis that need not begin at zero. */
export interface DotFigure extends Common {
  readonly kind: "dots";
  /** Label of each row, in one line or several. */
  readonly categories: readonly (string | readonly string[])[];
  readonly x: Axis;
  /** Value that stands for no difference, which has a line. */
  readonly rule: number;
  readonly series: readonly Pick<BarSeries, "name" | "colour" | "values" | "intervals" | "labels">[];
}

export type Figure = LineFigure | BarFigure | DotFigure;

/** Ratio of largest to smallest value from which an axis is logarithmic. */
const LOG_RATIO = 20;

/** Judges whether values are so far apart that only a logarithmic axis shows them all. */
function isWide(values: readonly number[]): boolean {
  const positive = values.filter((value) => value > 0);
  return positive.length > 0 && Math.max(...positive) / Math.min(...positive) > LOG_RATIO;
}

/** Makes an axis for points at `values`, logarithmic where they are far apart, else from 0. */
export function axisFor(title: string, unit: string, values: readonly number[], t: Say = inEnglish): Axis {
  const positive = values.filter((value) => value > 0);
  if (!isWide(values)) return { title, unit, log: false, min: 0 };
  return {
    title: t`${title}, log scale`,
    unit,
    log: true,
    min: Math.min(...positive) * 0.7,
    max: Math.max(...positive) * 1.3,
  };
}

/** Makes an axis for bars up to `values`: from zero, so that lengths can be compared. */
export function barAxisFor(title: string, unit: string, values: readonly number[]): Axis {
  return { title, unit, log: false, min: 0, max: Math.max(...values, 0) };
}
