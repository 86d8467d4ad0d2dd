/**
 * What a chart shows, as plain data: it can be drawn on a canvas here, or be sent to a browser and drawn there, and it
 * brings the table that says the same in numbers. How it is drawn stands in `chart_config.ts`.
 *
 * @module
 */
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
  | "swap";

/** The colour of a meaning, or one that comes with the chart: that of a strategy. */
export type Colour = ColourKey | { readonly light: string; readonly dark: string };

/** An axis. */
export interface Axis {
  /** Its title, the unit included. */
  readonly title: string;
  /** Unit of its values, for a tooltip. */
  readonly unit: string;
  /** Whether it is logarithmic. */
  readonly log: boolean;
  /** Its first value; 0 or a round one if absent. */
  readonly min?: number;
  /** Its last value; a round one if absent. */
  readonly max?: number;
  /** The only values that are labelled; chosen by scale if absent. */
  readonly ticks?: readonly number[];
}

/** Numbers behind a chart: plain values, as exact as the result has them. */
export interface FigureTable {
  /** Column titles, with units. */
  readonly head: readonly string[];
  /** Rows; null where there is nothing. */
  readonly rows: readonly (readonly (string | number | null)[])[];
}

interface Common {
  /** Name of the file or anchor: lower case with hyphens. */
  readonly id: string;
  /** What it shows, in a few words. */
  readonly title: string;
  /** How to read it, in a sentence or two. */
  readonly caption: string;
  /** The same in numbers. */
  readonly table: FigureTable;
}

/** One line of a line chart. */
export interface LineSeries {
  /** What the line is. */
  readonly name: string;
  /** What its colour stands for. */
  readonly colour: Colour;
  /** Points in order; a null y interrupts the line. */
  readonly points: readonly (readonly [x: number, y: number | null])[];
  /** Interval of each point. */
  readonly intervals?: readonly (Interval | null)[];
  /** Whether it is dashed. */
  readonly dashed?: boolean;
  /** How its points are marked: not at all, on the line, or without a line. */
  readonly marks: "none" | "points" | "only points";
  /** Names of the points, written beside them. */
  readonly labels?: readonly string[];
  /** Whether it belongs to the right axis. */
  readonly right?: boolean;
}

/** A chart of lines. */
export interface LineFigure extends Common {
  readonly kind: "lines";
  readonly x: Axis;
  readonly y: Axis;
  /** The right axis. */
  readonly right?: Axis;
  readonly series: readonly LineSeries[];
}

/** One set of bars: a bar per category. */
export interface BarSeries {
  readonly name: string;
  readonly colour: Colour;
  /** Lengths; null where there is no bar. */
  readonly values: readonly (number | null)[];
  /** Intervals of the lengths. */
  readonly intervals?: readonly (Interval | null)[];
  /** Text behind each bar. */
  readonly labels?: readonly string[];
}

/** A chart of horizontal bars, beside each other or stacked. */
export interface BarFigure extends Common {
  readonly kind: "bars";
  /** What each row of bars is, a text or lines of it. */
  readonly categories: readonly (string | readonly string[])[];
  /** What the categories' colours stand for, where they are strategies. */
  readonly categoryColours?: readonly Colour[];
  readonly x: Axis;
  readonly series: readonly BarSeries[];
  readonly stacked: boolean;
  /** Text behind each stack. */
  readonly ends?: readonly string[];
}

/** A chart. */
export type Figure = LineFigure | BarFigure;

/** Ratio of largest to smallest value from which an axis is logarithmic. */
const LOG_RATIO = 20;

/** Whether values are so far apart that only a logarithmic axis shows them all. */
export function isWide(values: readonly number[]): boolean {
  const positive = values.filter((value) => value > 0);
  return positive.length > 0 && Math.max(...positive) / Math.min(...positive) > LOG_RATIO;
}

/** An axis for points at `values`, logarithmic where they are far apart, else from 0. */
export function axisFor(title: string, unit: string, values: readonly number[]): Axis {
  const positive = values.filter((value) => value > 0);
  if (!isWide(values)) return { title, unit, log: false, min: 0 };
  return {
    title: `${title}, log scale`,
    unit,
    log: true,
    min: Math.min(...positive) * 0.7,
    max: Math.max(...positive) * 1.3,
  };
}

/** An axis for bars up to `values`. A logarithmic one begins at a power of ten that leaves the shortest bar visible. */
export function barAxisFor(title: string, unit: string, values: readonly number[]): Axis {
  const max = Math.max(...values, 0);
  if (!isWide(values)) return { title, unit, log: false, min: 0, max };
  const min = 10 ** Math.floor(Math.log10(Math.min(...values.filter((value) => value > 0)) / 2));
  return { title: `${title}, log scale`, unit, log: true, min, max };
}
