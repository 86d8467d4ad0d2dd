/** The terminal report of the paper's views: a table for each, with the paper's figures in brackets. */
import type { PaperResult, View } from "../simulate/paper/paper_result.ts";
import { servingHeading } from "./serving_table.ts";
import { drawTable } from "./text_table.ts";
import { formatSignificant } from "./units.ts";
import { wrap } from "./wrap.ts";

/** Returns the report as lines of text, no newline at the end. */
export function paperTable(result: PaperResult): string {
  return [
    servingHeading(result),
    "In brackets: Kwon et al. 2023, arXiv 2309.06180.",
    ...result.views.map(viewTable),
  ].join("\n\n");
}

function viewTable({ figure, title, columns, rows, paper_says, differences }: View): string {
  const units = new Set(columns.map(({ unit }) => unit)), [unit] = units;
  const table = drawTable(
    rows.map((
      { label, here, paper },
    ) => [label, ...here.map((value, i) => bracketed(value, paper[i] ?? null))]),
    {
      head: ["", ...columns.map(({ name, unit }) => units.size === 1 ? name : `${name}, ${unit}`)],
      widths: { label: Math.max(...rows.map(({ label }) => label.length)), most: 22 },
    },
  );
  const notes = [
    ...(paper_says === null ? [] : [`The paper: ${paper_says}.`]),
    `Unlike the paper: ${differences.join("; ")}.`,
  ];
  return [
    `${title}${units.size === 1 ? `, ${unit}` : ""} (figure ${figure})`,
    table,
    ...notes.flatMap((line) => wrap(line)),
  ].join("\n")
    .trimEnd();
}

function bracketed(here: number | null, paper: number | null): string {
  const value = here === null ? "–" : formatSignificant(here);
  return paper === null ? value : `${value} (${formatSignificant(paper)})`;
}
