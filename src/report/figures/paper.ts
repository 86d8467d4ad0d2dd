/** Charts of the PagedAttention paper's views, with this run's figures beside the paper's. */
import type { PaperResult, View, ViewName } from "../../simulate/paper/paper_result.ts";
import { inEnglish, type Say } from "../lang.ts";
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
export function paperFigures({ views }: PaperResult, t: Say = inEnglish): Figure[] {
  return views.flatMap((view) => DRAW[view.name](view, t));
}

const DRAW: Readonly<Record<ViewName, (view: View, t: Say) => Figure[]>> = {
  waste: (view, t) => [wasteFigure(view, t)],
  batch: (view, t) => view.rows.map((_, row) => comparedFigure(transposed(view), row, t)),
  sharing: (view, t) => view.columns.map((_, column) => comparedFigure(view, column, t)),
  prefix: (view, t) => [comparedFigure(view, 0, t)],
  "block-size": (view, t) => [0, 1].map((column) => blockSizeFigure(view, column, t)),
  preemption: (view, t) => [preemptionFigure(view, t)],
};

/** Charts the parts of K/V memory as stacks. */
function wasteFigure(view: View, t: Say): BarFigure {
  const colours: readonly ColourKey[] = ["used", "later", "internal", "external", "free"];
  return {
    ...described(view, t),
    kind: "bars",
    categories: view.rows.map(({ label }) => label),
    x: { title: t`% of K/V memory`, unit: "%", log: false, min: 0, max: 100 },
    series: view.columns.map(({ name }, i) => ({
      name,
      colour: colours[i]!,
      values: view.rows.map(({ here }) => here[i]!),
    })),
    stacked: true,
    ends: view.rows.map(({ here, paper }) =>
      t`${formatSignificant(here[0]!)} % used${
        paper[0] == null ? "" : t`, paper ${formatSignificant(paper[0])} %`
      }`
    ),
  };
}

/** Charts one column of a view, each row with the paper's figure below it. */
function comparedFigure(view: View, column: number, t: Say): BarFigure {
  const { name, unit } = view.columns[column]!;
  const here = view.rows.map((row) => row.here[column]!), paper = view.rows.map((row) => row.paper[column]!);
  const known = [...here, ...paper].filter((value) => value !== null);
  const labels = (values: readonly (number | null)[]) =>
    values.map((value) => value === null ? "" : formatSignificant(value));
  return {
    ...described(view, t, view.columns.length === 1 ? "" : name),
    kind: "bars",
    categories: view.rows.map(({ label }) => label),
    x: barAxisFor(unit, unit, known),
    series: [
      { name: t`this run`, colour: "here", values: here, labels: labels(here) },
      { name: t`the paper`, colour: "paper", values: paper, labels: labels(paper) },
    ],
    stacked: false,
  };
}

/** Charts throughput and the share of blocks that holds tokens, by block size. */
function blockSizeFigure(view: View, column: number, t: Say): LineFigure {
  const { name, unit } = view.columns[column]!;
  const sizes = view.rows.map(({ label }) => Number.parseInt(label));
  const points = (index: number) => view.rows.map(({ here }, i) => [sizes[i]!, here[index]!] as const);
  return {
    ...described(view, t, name),
    kind: "lines",
    x: sizeAxis(sizes, t),
    y: { ...axisFor(unit, unit, points(column).map(([, y]) => y), t), log: false, min: 0 },
    right: { title: t`token states in blocks (%)`, unit: "%", log: false, min: 0, max: 100 },
    series: [
      { name: t`tokens/s (left)`, colour: "here", points: points(column), marks: "points" },
      {
        name: t`token states (right)`,
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
function preemptionFigure(view: View, t: Say): LineFigure {
  const sizes = view.rows.map(({ label }) => Number.parseInt(label));
  const [unit] = view.columns.map((column) => column.unit) as [string];
  return {
    ...described(view, t),
    kind: "lines",
    x: sizeAxis(sizes, t),
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

function sizeAxis(sizes: readonly number[], t: Say): LineFigure["x"] {
  const [first, last] = [Math.min(...sizes), Math.max(...sizes)];
  return { title: t`tokens per block`, unit: "", log: true, min: first * 0.9, max: last * 1.1, ticks: sizes };
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
function described({ name, figure, title, columns, rows, paper_says, differences }: View, t: Say, part = "") {
  const paper = rows.some((row) => row.paper.some((value) => value !== null));
  return {
    id: part === "" ? name : `${name}-${part.toLowerCase().replace(/[^a-z0-9]+/g, "-")}`,
    title: t`${title} (figure ${figure}${part === "" ? "" : `, ${part}`})`,
    caption: [
      ...(paper_says === null ? [] : [t`The paper: ${paper_says}.`]),
      t`Unlike the paper: ${differences.join("; ")}.`,
    ].join(" "),
    table: {
      head: [
        "",
        ...columns.map(({ name, unit }) => `${name} (${unit})`),
        ...(paper ? columns.map(({ name, unit }) => t`${name}, the paper (${unit})`) : []),
      ],
      rows: rows.map((row) => [row.label, ...row.here, ...(paper ? row.paper : [])]),
    },
  };
}
