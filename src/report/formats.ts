/** The output formats of bench results. */
import type { BenchResult } from "../measure/record/result.ts";
import { formatJson } from "./json.ts";
import { markdown } from "./markdown.ts";
import { oneLine } from "./wrap.ts";
import { csv, jsonLines } from "./rows.ts";
import { benchTable } from "./table.ts";

/** A form of output. */
export type Format = "table" | "json" | "jsonl" | "csv" | "markdown";

const WRITERS: Readonly<Record<Format, (results: readonly BenchResult[], wide: boolean) => string>> = {
  table: (results, wide) => results.map((result) => titled(result, results.length > 1, wide)).join("\n\n"),
  json: (results) => formatJson(results.length === 1 ? results[0] : results),
  jsonl: jsonLines,
  csv,
  markdown,
};

/** Names of all output formats. */
export const FORMATS = Object.keys(WRITERS) as Format[];

/**
 * Formats results as text, no newline at the end.
 *
 * @param wide Shows all columns of tables. Default: those that fit 80 columns.
 */
export function formatResults(results: readonly BenchResult[], format: Format, wide = false): string {
  return WRITERS[format](results, wide);
}

function titled(result: BenchResult, several: boolean, wide: boolean): string {
  if (result.cells.length === 0) return "Nothing is measured yet.";
  const { environment: { adapter, git_commit: commit }, model, created } = result;
  const at = commit === null ? "" : `, commit ${commit.slice(0, 12)}`;
  const title = several ? `${oneLine(`${model.name} on ${adapter.description}`)}${at}, ${created}\n` : "";
  return title + benchTable(result, { wide });
}
