/**
 * The terminal report of one bench result: a column per cell where there are few, a line per cell where there are
 * many, and sentences on the numbers.
 *
 * @module
 */
import type { Cell } from "../measure/record/cell.ts";
import { baselineOf } from "../measure/findings/overview.ts";
import type { BenchResult } from "../measure/record/result.ts";
import type { Summary } from "../measure/findings/summary.ts";
import { claimLines } from "./claims.ts";
import { KV_PART_NAMES, kvMeans, kvReserved } from "./kv_memory.ts";
import { cellLabels, saySettings, varyingSettings, WORK_KEYS } from "./labels.ts";
import { sentences } from "./sentences.ts";
import { columnTable, drawTable, type TableRow } from "./text_table.ts";
import { formatBytes, formatMs, formatMsRange, formatPercent, formatSignificant } from "./units.ts";
import { wrap } from "./wrap.ts";

/** Most cells that fit beside each other. */
const MAX_COLUMNS = 3;

/** Returns the report as lines of text, at most 100 columns wide, no newline at the end. */
export function benchTable(result: BenchResult): string {
  const { cells, groups } = result;
  const draw = groups.length === 1 && cells.length <= MAX_COLUMNS ? columnPerCell : linePerCell;
  const claims = claimLines(result);
  return [
    draw(cells),
    "",
    ...sentences(result).flatMap((line) => wrap(line)),
    "",
    ...claims.flatMap((line) => wrap(line)),
  ].join("\n")
    .trimEnd();
}

function columnPerCell(cells: readonly Cell[]): string {
  const { group, row, draw } = columnTable(cells, { titles: cellLabels(cells), label: 24, most: 28 });
  const baseline = baselineOf(cells);

  const runs = cells[0]!.e2e_ms.samples.length;
  group(
    runs === 1 ? "Latency, 1 run" : `Latency, median of ${runs} runs${runs < 3 ? "" : " (95 % interval)"}`,
  );
  row("TTFT", ({ ttft_ms }) => interval(ttft_ms));
  row("TPOT", ({ tpot_ms }) => tpot_ms === null ? "–" : interval(tpot_ms));
  row("total (E2E)", ({ e2e_ms }) => interval(e2e_ms));
  row(
    "decode tokens/s",
    ({ decode_tokens_per_second: rate }) => rate === null ? "–" : formatSignificant(rate),
  );
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
  return draw();
}

function linePerCell(cells: readonly Cell[]): string {
  const varying = varyingSettings(cells);
  const rows: TableRow[] = [];
  let title = "";
  for (const cell of cells) {
    const work = saySettings(cell.settings, WORK_KEYS);
    if (work !== title) rows.push({ heading: title = work });
    const own = saySettings(
      cell.settings,
      varying.filter((key) => !WORK_KEYS.includes(key)),
    );
    const { reserved, wasted } = kvReserved(cell);
    rows.push([
      `  ${own === "" ? cell.strategy : `${cell.strategy}, ${own}`}`,
      formatMs(cell.ttft_ms.median),
      cell.tpot_ms === null ? "–" : interval(cell.tpot_ms),
      cell.decode_tokens_per_second === null ? "–" : formatSignificant(cell.decode_tokens_per_second),
      formatBytes(cell.memory.peak_bytes.total),
      formatBytes(reserved),
      formatPercent(wasted, reserved),
    ]);
  }
  const head = ["", "TTFT", "TPOT (95 % interval)", "tokens/s", "peak", "K/V", "unused"];
  return drawTable(rows, { head, border: false });
}

/** Formats a median with its interval where there is one: "7.80 (7.71–7.93) ms". */
function interval({ median, median_ci }: Summary): string {
  return median_ci === null ? formatMs(median) : formatMsRange(median, ...median_ci);
}

function speedUp(baseline: Summary | null, own: Summary | null): string {
  return baseline === null || own === null ? "–" : `${formatSignificant(baseline.median / own.median)} ×`;
}
