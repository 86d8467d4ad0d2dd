/**
 * The terminal report of the paper's views: a table for each, with the paper's figures in brackets. It reads the
 * record and measures nothing.
 *
 * @module
 */
import Table from "npm:cli-table3@0.6.5";
import type { PaperResult } from "../simulate/paper/result.ts";
import type { View } from "../simulate/paper/view.ts";
import { servingHeading } from "./serving_table.ts";
import { formatSignificant } from "./units.ts";
import { WIDTH, wrap } from "./wrap.ts";

const LABEL_WIDTH = 26;

/** The report of `result` as lines of text without ANSI colours, no newline at the end. */
export function paperTable(result: PaperResult): string {
  return [
    servingHeading(result),
    "In brackets: Kwon et al. 2023, arXiv 2309.06180.",
    ...result.views.map(viewTable),
  ].join("\n\n");
}

function viewTable({ figure, title, columns, rows, paper_says, differences }: View): string {
  const valueWidth = Math.min(22, Math.floor((WIDTH - LABEL_WIDTH - columns.length - 2) / columns.length));
  const table = new Table({
    head: ["", ...columns.map(({ name, unit }) => `${name}, ${unit}`)],
    colWidths: [LABEL_WIDTH, ...columns.map(() => valueWidth)],
    colAligns: ["left", ...columns.map(() => "right" as const)],
    style: { head: [], border: [], compact: true },
    wordWrap: true,
  });
  for (const { label, here, paper } of rows) {
    table.push([label, ...here.map((value, i) => bracketed(value, paper[i] ?? null))]);
  }
  const notes = [
    ...(paper_says === null ? [] : [`The paper: ${paper_says}.`]),
    `Unlike the paper: ${differences.join("; ")}.`,
  ];
  return [`${title} (figure ${figure})`, table.toString(), ...notes.flatMap((line) => wrap(line))].join("\n")
    .trimEnd();
}

function bracketed(here: number | null, paper: number | null): string {
  const value = here === null ? "–" : formatSignificant(here);
  return paper === null ? value : `${value} (${formatSignificant(paper)})`;
}
