/**
 * The terminal report of one bench result: a column per cell where there are few, a line per cell where there are
 * many, and sentences on the numbers.
 */
import { qualityOf } from "../measure/quality/bench_quality.ts";
import type { ScoredCell } from "../measure/quality/scored_cell.ts";
import type { Cell } from "../measure/record/cell.ts";
import { createdOf, latencySteps } from "../measure/findings/latency_steps.ts";
import { baselineOf } from "../measure/findings/overview.ts";
import type { BenchResult } from "../measure/record/result.ts";
import type { Summary } from "../measure/findings/summary.ts";
import { claimLines } from "./claims.ts";
import { KV_PART_NAMES, kvMeans, kvReserved } from "./kv_memory.ts";
import { cellLabels, saySettings, varyingSettings, WORK_KEYS } from "./labels.ts";
import { sentences } from "./sentences.ts";
import { sayCreated } from "./step_sentences.ts";
import { sparkline } from "./sparkline.ts";
import { columnTable, drawTable, type TableRow } from "./text_table.ts";
import {
  formatBytes,
  formatDivergence,
  formatMs,
  formatMsRange,
  formatPercent,
  formatRange,
  formatSignificant,
  timeUnit,
} from "./units.ts";
import { wrap } from "./wrap.ts";

/** Most cells that fit beside each other. */
const MAX_COLUMNS = 3;

/** Fewest tokens whose latencies are drawn. */
const LEAST_TOKENS = 8;

/**
 * Returns the report as lines of text, no newline at the end.
 *
 * @param wide Shows all columns. Default: those that fit 80 columns.
 */
export function benchTable(result: BenchResult, { wide = false }: { readonly wide?: boolean } = {}): string {
  const { cells, groups } = result;
  const few = groups.length === 1 && cells.length <= MAX_COLUMNS;
  const claims = claimLines(result);
  return [
    few ? columnPerCell(result) : linePerCell(result, wide),
    "",
    ...(few ? latencyByPosition(cells) : []),
    ...sentences(result).flatMap((line) => wrap(line)),
    "",
    ...claims.flatMap((line) => wrap(line)),
  ].join("\n")
    .trimEnd();
}

function columnPerCell({ cells, quality }: BenchResult): string {
  const { group, row, draw } = columnTable(cells, { titles: cellLabels(cells), label: 22, most: 17 });
  const baseline = baselineOf(cells);

  const runs = cells[0]!.e2e_ms.samples.length;
  group(
    runs === 1 ? "Latency, 1 run" : `Latency, median of ${runs} runs${runs < 3 ? "" : " (95 % interval)"}`,
  );
  const times = (label: string, pick: (cell: Cell) => Summary | null) => {
    const unit = timeUnit(Math.max(...cells.map((cell) => latest(pick(cell)))));
    row(`${label}, ${unit.name}`, (cell) => inUnit(pick(cell), unit.ms));
  };
  times("TTFT", ({ ttft_ms }) => ttft_ms);
  times("TPOT", ({ tpot_ms }) => tpot_ms);
  times("total (E2E)", ({ e2e_ms }) => e2e_ms);
  row("decode tokens/s", ({ decode_tokens_per_second: rate }) => significant(rate));
  row("prefill tokens/s", ({ prefill_tokens_per_second: rate }) => formatSignificant(rate));
  if (baseline !== undefined && cells.length > 1) {
    row(`TPOT vs ${baseline.strategy}`, ({ tpot_ms }) => speedUp(baseline.tpot_ms, tpot_ms));
    row(`total vs ${baseline.strategy}`, ({ e2e_ms }) => speedUp(baseline.e2e_ms, e2e_ms));
  }
  row(
    "ITL p50 / p99",
    ({ itl_ms }) =>
      itl_ms === null ? "–" : `${formatSignificant(itl_ms.median)} / ${formatSignificant(itl_ms.p99)} ms`,
  );
  row("GPU time per token", ({ gpu_ms_per_token: ms }) => ms === null ? "unavailable" : formatMs(ms));
  row("encoding per token", ({ encode_ms_per_token }) => formatMs(encode_ms_per_token));
  row("dispatches per token", ({ dispatches_per_token }) => formatSignificant(dispatches_per_token));

  group("GPU memory, peak");
  for (const key of ["total", "weights", "kv", "activations", "tables", "staging"] as const) {
    row(key === "kv" ? "K/V" : key, ({ memory }) => formatBytes(memory.peak_bytes[key]));
  }

  group("K/V, mean over the request, shares of reserved");
  const share = (bytes: number, cell: Cell) =>
    bytes === 0 ? "0 B" : `${formatBytes(bytes)} (${formatPercent(bytes, kvReserved(cell).reserved)})`;
  row("reserved", (cell) => formatBytes(kvReserved(cell).reserved));
  for (const part of ["used", "later", "internal", "external"] as const) {
    const waste = part === "used" ? "" : "waste, ";
    row(`${waste}${KV_PART_NAMES[part]}`, (cell) => share(kvMeans(cell)[part], cell));
  }
  row(KV_PART_NAMES.free, (cell) => formatBytes(kvMeans(cell).free));

  if (quality.length > 0) {
    group("Quality against full float32");
    for (const { title, of } of QUALITY_COLUMNS) row(title, (cell) => of(qualityOf(quality, cell)));
  }
  return draw();
}

/** Figures of quality, which an exact cell does not have. */
const QUALITY_COLUMNS: readonly { title: string; of: (scored: ScoredCell | undefined) => string }[] = [
  { title: "KLD, nats", of: (scored) => scored ? formatDivergence(scored.divergence.kld.mean.value) : "–" },
  { title: "same top", of: (scored) => scored ? formatPercent(scored.divergence.same_top.value, 1) : "–" },
];

/**
 * The columns of a table with a line per cell; those marked wide are left out unless there is room, and those marked
 * spare where there is quality to show.
 */
const COLUMNS: readonly { title: string; wide?: true; spare?: true; of: (cell: Cell) => string }[] = [
  { title: "TTFT", spare: true, of: ({ ttft_ms }) => formatMs(ttft_ms.median) },
  { title: "TPOT (95 % interval)", of: ({ tpot_ms }) => tpot_ms === null ? "–" : interval(tpot_ms) },
  { title: "total (E2E)", wide: true, of: ({ e2e_ms }) => interval(e2e_ms) },
  { title: "ITL p50", wide: true, of: ({ itl_ms }) => itl_ms === null ? "–" : formatMs(itl_ms.median) },
  { title: "ITL p99", wide: true, of: ({ itl_ms }) => itl_ms === null ? "–" : formatMs(itl_ms.p99) },
  { title: "steps", wide: true, of: (cell) => stepsOf(cell) },
  { title: "created per token", wide: true, of: (cell) => createdBy(cell) },
  { title: "tokens/s", wide: true, of: ({ decode_tokens_per_second: rate }) => significant(rate) },
  { title: "peak", spare: true, of: ({ memory }) => formatBytes(memory.peak_bytes.total) },
  { title: "K/V", of: (cell) => formatBytes(kvReserved(cell).reserved) },
  {
    title: "unused",
    spare: true,
    of: (cell) => {
      const { reserved, wasted } = kvReserved(cell);
      return formatPercent(wasted, reserved);
    },
  },
];

function linePerCell({ cells, quality }: BenchResult, wide: boolean): string {
  const varying = varyingSettings(cells), scored = quality.length > 0;
  const columns = [
    ...COLUMNS.filter((column) => wide || !column.wide && !(scored && column.spare)),
    ...(scored ? QUALITY_COLUMNS : []).map(({ title, of }) => ({
      title,
      of: (cell: Cell) => of(qualityOf(quality, cell)),
    })),
  ];
  const rows: TableRow[] = [];
  let title = "";
  for (const cell of cells) {
    const work = saySettings(cell.settings, WORK_KEYS);
    if (work !== title) rows.push({ heading: title = work });
    const own = saySettings(
      cell.settings,
      varying.filter((key) => !WORK_KEYS.includes(key)),
    );
    rows.push([
      ` ${own === "" ? cell.strategy : `${cell.strategy}, ${own}`}`,
      ...columns.map(({ of }) => of(cell)),
    ]);
  }
  return drawTable(rows, { head: ["", ...columns.map(({ title }) => title)] });
}

/** Says where a cell's latency by position has its largest steps. */
function stepsOf(cell: Cell): string {
  const steps = latencySteps(cell);
  if (steps === undefined) return "unknown";
  return steps.toSorted((a, b) => Math.abs(b.share) - Math.abs(a.share)).slice(0, 2)
    .map(({ share, context }) => `${share < 0 ? "−" : "+"}${formatPercent(Math.abs(share), 1)} at ${context}`)
    .join(", ") || "none";
}

function createdBy(cell: Cell): string {
  const created = createdOf(cell);
  return created === undefined ? "unknown" : sayCreated(created);
}

/** Draws the latency of each token after the first, on one scale from zero. */
function latencyByPosition(cells: readonly Cell[]): string[] {
  const lines = cells.flatMap(({ itl_ms }) => itl_ms === null ? [] : [itl_ms.by_token]);
  const tokens = lines[0]?.length ?? 0;
  if (lines.length < cells.length || tokens < LEAST_TOKENS) return [];
  const most = Math.max(...lines.flat());
  const labels = cellLabels(cells), label = Math.max(...labels.map(({ length }) => length));
  return [
    `Latency of tokens 2 to ${tokens + 1} (ITL, from 0 to ${formatMs(most)})`,
    ...lines.map((each, i) => ` ${labels[i]!.padEnd(label)}  ${sparkline(each, most)}`),
    "",
  ];
}

/** Formats a median with its interval where there is one: "7.80 (7.71–7.93) ms". */
function interval({ median, median_ci }: Summary): string {
  return median_ci === null ? formatMs(median) : formatMsRange(median, ...median_ci);
}

/** Returns the longest time of a summary that is shown. */
function latest(summary: Summary | null): number {
  return summary?.median_ci?.[1] ?? summary?.median ?? 0;
}

/** Formats a median with its interval where there is one, in a unit of `unitMs`: "7.80 (7.71–7.93)". */
function inUnit(summary: Summary | null, unitMs: number): string {
  if (summary === null) return "–";
  const { median, median_ci } = summary;
  return median_ci === null
    ? formatSignificant(median / unitMs)
    : formatRange(median / unitMs, median_ci[0] / unitMs, median_ci[1] / unitMs);
}

function significant(value: number | null): string {
  return value === null ? "–" : formatSignificant(value);
}

function speedUp(baseline: Summary | null, own: Summary | null): string {
  return baseline === null || own === null ? "–" : `${formatSignificant(baseline.median / own.median)} ×`;
}
