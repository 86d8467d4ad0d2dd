/** The terminal report of a quality record. */
import type { QualityResult } from "../measure/quality/quality_result.ts";
import { contextTokens, type ScoredCell } from "../measure/quality/scored_cell.ts";
import { inEnglish, type Say } from "./lang.ts";
import { saySettings, varyingSettings, WORK_KEYS } from "./labels.ts";
import { saidQualityClaims } from "./quality_claims.ts";
import { claimLine, CLAIMS_TITLE } from "./said_claim.ts";
import { drawTable, type TableRow } from "./text_table.ts";
import { formatCount, formatDivergence, formatEstimate, formatSignificant } from "./units.ts";
import { wrap } from "./wrap.ts";

/** Returns the report as lines of text, no newline at the end. */
export function qualityTable(result: QualityResult): string {
  const claims = saidQualityClaims(result.cells).map((claim) => claimLine(claim));
  return [
    ...wrap(qualityHeading(result)),
    "",
    qualityTables(result),
    "",
    CLAIMS_TITLE,
    ...claims.flatMap((line) => wrap(line)),
  ].join("\n");
}

/** Returns the tables below the heading. */
export function qualityTables({ cells, retrieval }: QualityResult, t: Say = inEnglish): string {
  return [
    t`KL divergence from full float32, in nats per token`,
    divergenceTable(cells, t),
    "",
    t`Likeliest token, probability of the right token, perplexity`,
    tokenTable(cells, t),
    ...(retrieval ? ["", ...retrievalLines(cells, retrieval, t)] : []),
  ].join("\n");
}

/** Says what was scored. */
export function qualityHeading(
  { model, text, reference_perplexity: { value, error }, cells }: QualityResult,
  t: Say = inEnglish,
): string {
  const { source, tokens, parts, context, prompt_tokens } = text,
    [{ divergence: { positions } }] = cells as [
      ScoredCell,
    ];
  return t`${model.name}, weights ${model.weights_dtype}: ${source}, ${
    formatCount(tokens)
  } tokens, in ${parts} ${
    parts === 1 ? t`part` : t`parts`
  } of ${context}, the first ${prompt_tokens} of each as its prompt; ${
    formatCount(positions)
  } tokens scored. Perplexity in full float32: ${
    formatEstimate({ value, error })
  }. ± is one standard error, as in llama.cpp.`;
}

function divergenceTable(cells: readonly ScoredCell[], t: Say): string {
  return tableOf(cells, t, [t`K/V B/token`, t`mean`, t`median`, "p95", "p99", t`max`], (cell) => {
    const { mean, median, p95, p99, max } = cell.divergence.kld;
    return [
      formatSignificant(cell.kv_bytes / contextTokens(cell)),
      formatEstimate(mean, formatDivergence),
      ...[median, p95, p99, max].map(formatDivergence),
    ];
  });
}

function tokenTable(cells: readonly ScoredCell[], t: Say): string {
  const percent = ({ value, error }: { value: number; error: number | null }, digits = 1) =>
    `${(100 * value).toFixed(digits)}${error === null ? "" : ` ± ${(100 * error).toFixed(digits)}`} %`;
  return tableOf(
    cells,
    t,
    [t`same top`, t`mean Δp`, t`RMS Δp`, t`perplexity`, t`ratio`],
    ({ divergence }) => {
      const { same_top, delta_p, perplexity, perplexity_ratio: ratio } = divergence;
      return [
        percent(same_top),
        percent({ ...delta_p.mean, error: null }, 2),
        percent(delta_p.rms, 2),
        formatSignificant(perplexity.value),
        formatEstimate(ratio, (value) => value.toFixed(4)),
      ];
    },
  );
}

/** A table with a heading for each strategy with its options, and a row for each type of K and V. */
function tableOf(
  cells: readonly ScoredCell[],
  t: Say,
  head: readonly string[],
  columns: (cell: ScoredCell) => readonly string[],
): string {
  const rows: TableRow[] = [];
  for (const [name, own] of Map.groupBy(cells, (cell) => nameOf(cell, cells, t))) {
    rows.push({ heading: name });
    for (const cell of own) rows.push([`  ${cell.settings.kv_dtype}`, ...columns(cell)]);
  }
  return drawTable(rows, { head: [t`K/V type`, ...head] });
}

/** Names a cell's strategy with the options that differ among cells. */
function nameOf({ strategy, settings }: ScoredCell, all: readonly ScoredCell[], t: Say): string {
  const said = saySettings(settings, varyingSettings(all).filter((key) => !WORK_KEYS.includes(key)), t);
  return said === "" ? strategy : t`${strategy}, ${said}`;
}

function retrievalLines(
  cells: readonly ScoredCell[],
  { distances, reference, cells: recalls }: NonNullable<QualityResult["retrieval"]>,
  t: Say,
): string[] {
  const row = (recall: typeof reference) =>
    recall.map(({ accuracy, gain }) => `${(100 * accuracy.value).toFixed(0)} % ${gain.value.toFixed(2)}`);
  const rows: TableRow[] = [[t`full float32`, ...row(reference)]];
  for (const [name, own] of Map.groupBy(cells.keys(), (i) => nameOf(cells[i]!, cells, t))) {
    rows.push({ heading: name });
    for (const i of own) rows.push([`  ${cells[i]!.settings.kv_dtype}`, ...row(recalls[i]!)]);
  }
  return [
    ...wrap(
      t`Recall of random sequences that stand twice, by their length in tokens: tokens that were the
        likeliest,
        and the gain over the first time in nats`,
    ),
    drawTable(rows, { head: [t`K/V type`, ...distances.map(String)] }),
  ];
}
