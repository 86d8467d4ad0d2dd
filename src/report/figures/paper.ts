/**
 * Charts of the PagedAttention paper's views, with this run's figures beside the paper's.
 *
 * @module
 */
import type { PaperResult, View, ViewName } from "../../simulate/paper/paper_result.ts";
import { formatSignificant } from "../units.ts";
import {
  axisFor,
  barAxisFor,
  type BarFigure,
  type ColourKey,
  type Figure,
  type LineFigure,
} from "./figure.ts";

/** Returns the charts of a result, in the order of its views. */
export function paperFigures({ views }: PaperResult): Figure[] {
  return views.flatMap((view) => DRAW[view.name](view));
}

const DRAW: Readonly<Record<ViewName, (view: View) => Figure[]>> = {
  waste: (view) => [wasteFigure(view)],
  batch: (view) => view.rows.map((_, row) => comparedFigure(transposed(view), row)),
  sharing: (view) => view.columns.map((_, column) => comparedFigure(view, column)),
  prefix: (view) => [comparedFigure(view, 0)],
  "block-size": (view) => [0, 1].map((column) => blockSizeFigure(view, column)),
  preemption: (view) => [preemptionFigure(view)],
};

/** Charts the parts of K/V memory as stacks. */
function wasteFigure(view: View): BarFigure {
  const colours: readonly ColourKey[] = ["used", "later", "internal", "external", "free"];
  return {
    ...described(view),
    kind: "bars",
    categories: view.rows.map(({ label }) => label),
    x: { title: "% of K/V memory", unit: "%", log: false, min: 0, max: 100 },
    series: view.columns.map(({ name }, i) => ({
      name,
      colour: colours[i]!,
      values: view.rows.map(({ here }) => here[i]!),
    })),
    stacked: true,
    ends: view.rows.map(({ here, paper }) =>
      `${formatSignificant(here[0]!)} % used${
        paper[0] == null ? "" : `, paper ${formatSignificant(paper[0])} %`
      }`
    ),
  };
}

/** Charts one column of a view, each row with the paper's figure below it. */
function comparedFigure(view: View, column: number): BarFigure {
  const { name, unit } = view.columns[column]!;
  const here = view.rows.map((row) => row.here[column]!), paper = view.rows.map((row) => row.paper[column]!);
  const known = [...here, ...paper].filter((value) => value !== null);
  const labels = (values: readonly (number | null)[]) =>
    values.map((value) => value === null ? "" : formatSignificant(value));
  return {
    ...described(view, view.columns.length === 1 ? "" : name),
    kind: "bars",
    categories: view.rows.map(({ label }) => label),
    x: barAxisFor(unit, unit, known),
    series: [
      { name: "this run", colour: "here", values: here, labels: labels(here) },
      { name: "the paper", colour: "paper", values: paper, labels: labels(paper) },
    ],
    stacked: false,
  };
}

/** Charts throughput and the share of blocks that holds tokens, by block size. */
function blockSizeFigure(view: View, column: number): LineFigure {
  const { name, unit } = view.columns[column]!;
  const sizes = view.rows.map(({ label }) => Number.parseInt(label));
  const points = (index: number) => view.rows.map(({ here }, i) => [sizes[i]!, here[index]!] as const);
  return {
    ...described(view, name),
    kind: "lines",
    x: sizeAxis(sizes),
    y: { ...axisFor(unit, unit, points(column).map(([, y]) => y)), log: false, min: 0 },
    right: { title: "token states in blocks (%)", unit: "%", log: false, min: 0, max: 100 },
    series: [
      { name: "tokens/s (left)", colour: "here", points: points(column), marks: "points" },
      {
        name: "token states (right)",
        colour: "used",
        points: points(column + 2),
        dashed: true,
        marks: "points",
        right: true,
      },
    ],
  };
}

/** Charts the throughput of both kinds of preemption by block size. */
function preemptionFigure(view: View): LineFigure {
  const sizes = view.rows.map(({ label }) => Number.parseInt(label));
  const [unit] = view.columns.map((column) => column.unit) as [string];
  return {
    ...described(view),
    kind: "lines",
    x: sizeAxis(sizes),
    y: { title: unit, unit, log: false, min: 0 },
    series: (["recompute", "swap"] as const).map((how, i) => ({
      name: how,
      colour: how,
      points: view.rows.map(({ here }, row) => [sizes[row]!, here[i]!] as const),
      dashed: i === 1,
      marks: "points",
    })),
  };
}

function sizeAxis(sizes: readonly number[]): LineFigure["x"] {
  const [first, last] = [Math.min(...sizes), Math.max(...sizes)];
  return { title: "tokens per block", unit: "", log: true, min: first * 0.9, max: last * 1.1, ticks: sizes };
}

/** Swaps the rows and columns of a view. */
function transposed(view: View): View {
  const [column] = view.columns as [View["columns"][number]];
  const turn = (of: "here" | "paper", i: number) => view.rows.map((row) => row[of][i]!);
  return {
    ...view,
    columns: view.rows.map(({ label }) => ({ name: label, unit: column.unit })),
    rows: view.columns.map(({ name }, i) => ({
      label: name,
      here: turn("here", i),
      paper: turn("paper", i),
    })),
  };
}

/** Returns a chart's title, caption and table from its view. */
function described({ name, figure, title, columns, rows, paper_says, differences }: View, part = "") {
  const paper = rows.some((row) => row.paper.some((value) => value !== null));
  return {
    id: part === "" ? name : `${name}-${part.toLowerCase().replace(/[^a-z0-9]+/g, "-")}`,
    title: `${title} (figure ${figure}${part === "" ? "" : `, ${part}`})`,
    caption: [
      ...(paper_says === null ? [] : [`The paper: ${paper_says}.`]),
      `Unlike the paper: ${differences.join("; ")}.`,
    ].join(" "),
    table: {
      head: [
        "",
        ...columns.map(({ name, unit }) => `${name} (${unit})`),
        ...(paper ? columns.map(({ name, unit }) => `${name}, the paper (${unit})`) : []),
      ],
      rows: rows.map((row) => [row.label, ...row.here, ...(paper ? row.paper : [])]),
    },
  };
}
