/**
 * The output formats of bench results.
 *
 * @module
 */
import type { BenchResult } from "../measure/record/result.ts";
import { formatJson } from "./json.ts";
import { markdown } from "./markdown.ts";
import { oneLine } from "./one_line.ts";
import { csv, jsonLines } from "./rows.ts";
import { benchTable } from "./table.ts";

/** A form of output. */
export type Format = "table" | "json" | "jsonl" | "csv" | "markdown";

const WRITERS: Readonly<Record<Format, (results: readonly BenchResult[]) => string>> = {
  table: (results: readonly BenchResult[]) => results.map(titled).join("\n\n"),
  json: (results: readonly BenchResult[]) => formatJson(results.length === 1 ? results[0] : results),
  jsonl: jsonLines,
  csv,
  markdown,
};

/** Names of all output formats. */
export const FORMATS = Object.keys(WRITERS) as Format[];

/** Formats results as text, no newline at the end. */
export function formatResults(results: readonly BenchResult[], format: Format): string {
  return WRITERS[format](results);
}

function titled(result: BenchResult, _: number, all: readonly BenchResult[]): string {
  if (result.cells.length === 0) return "Nothing is measured yet.";
  const title = all.length > 1 ? `${oneLine(result.model.name)}, ${result.created}\n` : "";
  return title + benchTable(result);
}
