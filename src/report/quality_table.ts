/**
 * The terminal report of a quality record, at most 80 columns wide.
 *
 * @module
 */
import type { QualityResult } from "../measure/quality/quality_result.ts";
import type { ScoredCell } from "../measure/quality/scored_cell.ts";
import { optionKeys, saySettings } from "./labels.ts";
import { drawTable, type TableRow } from "./text_table.ts";
import { formatCount, formatDivergence, formatSignificant } from "./units.ts";
import { wrap } from "./wrap.ts";

/** Most columns. */
const WIDTH = 80;

/** Returns the report as lines of text, no newline at the end. */
export function qualityTable(result: QualityResult): string {
  const { cells, retrieval } = result;
  return [
    ...wrap(heading(result), { width: WIDTH }),
    "",
    "KL divergence from full float32, in nats per token",
    divergenceTable(cells),
    "",
    "Likeliest token, probability of the right token, perplexity",
    tokenTable(cells),
    ...(retrieval ? ["", ...retrievalLines(result, retrieval)] : []),
  ].join("\n");
}

function heading({ model, text, reference_perplexity: { value, error }, cells }: QualityResult): string {
  const { source, tokens, parts, context, prompt_tokens } = text,
    [{ divergence: { positions } }] = cells as [
      ScoredCell,
    ];
  return `${model.name}, weights ${model.weights_dtype}: ${source}, ${
    formatCount(tokens)
  } tokens, in ${parts} ` +
    `${parts === 1 ? "part" : "parts"} of ${context}, the first ${prompt_tokens} of each as its prompt; ` +
    `${formatCount(positions)} tokens scored. Perplexity in full float32: ${withError({ value, error })}. ` +
    "± is one standard error, as in llama.cpp.";
}

function divergenceTable(cells: readonly ScoredCell[]): string {
  return tableOf(cells, ["K/V B/token", "mean", "median", "p95", "p99", "max"], (cell) => {
    const { mean, median, p95, p99, max } = cell.divergence.kld;
    return [
      formatSignificant(bytesPerToken(cell)),
      withError(mean, formatDivergence),
      ...[median, p95, p99, max].map(formatDivergence),
    ];
  });
}

function tokenTable(cells: readonly ScoredCell[]): string {
  const percent = ({ value, error }: { value: number; error: number | null }, digits = 1) =>
    `${(100 * value).toFixed(digits)}${error === null ? "" : ` ± ${(100 * error).toFixed(digits)}`} %`;
  return tableOf(cells, ["same top", "mean Δp", "RMS Δp", "perplexity", "ratio"], ({ divergence }) => {
    const { same_top, delta_p, perplexity, perplexity_ratio: ratio } = divergence;
    return [
      percent(same_top),
      percent({ ...delta_p.mean, error: null }, 2),
      percent(delta_p.rms, 2),
      formatSignificant(perplexity.value),
      withError(ratio, (value) => value.toFixed(4)),
    ];
  });
}

/** K/V bytes of a sequence at its end over its tokens. */
export function bytesPerToken({ kv_bytes, settings: { prompt_tokens, new_tokens } }: ScoredCell): number {
  return kv_bytes / (prompt_tokens + new_tokens - 1);
}

/** A table with a heading for each strategy with its options, and a row for each type of K and V. */
function tableOf(
  cells: readonly ScoredCell[],
  head: readonly string[],
  columns: (cell: ScoredCell) => readonly string[],
): string {
  const rows: TableRow[] = [];
  for (const [name, own] of Map.groupBy(cells, nameOf)) {
    rows.push({ heading: name });
    for (const cell of own) rows.push([`  ${cell.settings.kv_dtype}`, ...columns(cell)]);
  }
  return drawTable(rows, { head: ["K/V type", ...head], align: "lr", border: false });
}

/** Names a cell's strategy with its options. */
function nameOf({ strategy, settings }: ScoredCell): string {
  const said = saySettings(settings, optionKeys([{ settings }]));
  return said === "" ? strategy : `${strategy}, ${said}`;
}

function retrievalLines(
  { cells }: QualityResult,
  { distances, reference, cells: recalls }: NonNullable<QualityResult["retrieval"]>,
): string[] {
  const row = (recall: typeof reference) =>
    recall.map(({ accuracy, gain }) => `${(100 * accuracy.value).toFixed(0)} % ${gain.value.toFixed(2)}`);
  const rows: TableRow[] = [["full float32", ...row(reference)]];
  for (const [name, own] of Map.groupBy(cells.keys(), (i) => nameOf(cells[i]!))) {
    rows.push({ heading: name });
    for (const i of own) rows.push([`  ${cells[i]!.settings.kv_dtype}`, ...row(recalls[i]!)]);
  }
  return [
    "Recall of random sequences that stand twice, by their length in tokens: tokens",
    "that were the likeliest, and the gain over the first time in nats",
    drawTable(rows, { head: ["K/V type", ...distances.map(String)], align: "lr", border: false }),
  ];
}

function withError(
  { value, error }: { readonly value: number; readonly error: number | null },
  format: (value: number) => string = formatSignificant,
): string {
  return error === null ? format(value) : `${format(value)} ± ${format(error)}`;
}
