/**
 * The terminal report of the paper's views: a table for each, with the paper's figures in brackets.
 *
 * @module
 */
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
  const table = drawTable(
    rows.map((
      { label, here, paper },
    ) => [label, ...here.map((value, i) => bracketed(value, paper[i] ?? null))]),
    { head: ["", ...columns.map(({ name, unit }) => `${name}, ${unit}`)], widths: { label: 26, most: 22 } },
  );
  const notes = [
    ...(paper_says === null ? [] : [`The paper: ${paper_says}.`]),
    `Unlike the paper: ${differences.join("; ")}.`,
  ];
  return [`${title} (figure ${figure})`, table, ...notes.flatMap((line) => wrap(line))].join("\n")
    .trimEnd();
}

function bracketed(here: number | null, paper: number | null): string {
  const value = here === null ? "–" : formatSignificant(here);
  return paper === null ? value : `${value} (${formatSignificant(paper)})`;
}
