/** Tables for the terminal, without ANSI colours. Nothing else imports the package that draws them. */
import Table from "npm:cli-table3@0.6.5";
import { columnsOf, WIDTH } from "./wrap.ts";

/** The cells of a row, or a heading over all columns. */
export type TableRow = readonly (string | number)[] | { readonly heading: string };

/** Head and alignment of a table. */
interface TableOptions {
  /** Titles of the columns, with a rule below. Default: none. */
  readonly head?: readonly string[];
  /** A letter for each column, l for left and r for right; the last one holds for all that follow. Default: lr. */
  readonly align?: string;
  /** Width of the first column and the largest width of each other one, so that the table fits. Default: as needed. */
  readonly widths?: { readonly label: number; readonly most: number };
}

/** No line but the one below the head. */
const RULES = Object.fromEntries(
  ["top", "bottom", "left", "right"].flatMap((side) =>
    [side, `${side}-mid`, `${side}-left`, `${side}-right`].map((part) => [part, ""])
  ),
);
const GAP = 2;

/** Draws a table; no newline at the end. */
export function drawTable(rows: readonly TableRow[], options: TableOptions = {}): string {
  const { head = [], align = "lr", widths } = options;
  const columns = Math.max(head.length, ...rows.map((row) => "heading" in row ? 1 : row.length));
  const alignments = Array.from({ length: columns }, (_, i) => align[i] ?? align.at(-1));
  const table = new Table({
    head: [...head],
    colAligns: alignments.map((letter) => letter === "r" ? "right" : "left"),
    style: { head: [], border: [], compact: true, "padding-left": 0, "padding-right": 0 },
    chars: { ...RULES, "left-mid": "", "right-mid": "", mid: "─", "mid-mid": "─", middle: " ".repeat(GAP) },
    ...(widths && { colWidths: widthsOf(columns, widths), wordWrap: true }),
  });
  for (const row of rows) {
    table.push("heading" in row ? [{ colSpan: columns, content: row.heading }] : [...row]);
  }
  const lines = table.toString().replaceAll(/ +$/gm, "").split("\n");
  const width = Math.max(...lines.map(columnsOf)); // the package counts a gap as one column
  return lines.map((line) => line.replace(/^─+$/, "─".repeat(width))).join("\n");
}

function widthsOf(columns: number, { label, most }: { label: number; most: number }): number[] {
  const others = columns - 1;
  const each = Math.floor((WIDTH - label) / others) - GAP;
  return [label, ...Array<number>(others).fill(Math.min(most, each))];
}

/** A table with a column for each thing, which is filled row by row. */
interface ColumnTable<T> {
  /** Begins a group of rows. */
  group(title: string): void;
  row(label: string, cell: (each: T) => string): void;
  draw(): string;
}

/** Makes a table with a column for each of `things`, in groups of rows. */
export function columnTable<T>(
  things: readonly T[],
  { titles, ...widths }: { titles: readonly string[]; label: number; most: number },
): ColumnTable<T> {
  const rows: TableRow[] = [];
  return {
    group: (heading) => rows.push({ heading }),
    row: (label, cell) => rows.push([` ${label}`, ...things.map(cell)]),
    draw: () => drawTable(rows, { head: ["", ...titles], widths }),
  };
}
