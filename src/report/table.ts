/**
 * The terminal report of one bench result: a table with a column per strategy, and sentences that say what its
 * numbers mean. Plain text at most 100 columns wide; it reads the record and measures nothing.
 *
 * @module
 */

import Table from "npm:cli-table3@0.6.5";
import type { BenchResult, StrategyResult } from "../measure/result.ts";
import { formatBytes, formatMs, formatMsRange, formatPercent, formatSignificant } from "./units.ts";

const WIDTH = 100;
const LABEL_WIDTH = 24;

/**
 * The report of `result` as lines of text without ANSI colours, at most 100 columns wide, no newline at the end.
 */
export function benchTable(result: BenchResult): string {
  return [drawTable(result), "", ...sentences(result).flatMap(wrap)].join("\n");
}

function drawTable({ results, workload }: BenchResult): string {
  // Borders take one column more than there are cells. One or two strategies don't need the full width.
  const valueWidth = Math.min(28, Math.floor((WIDTH - LABEL_WIDTH - results.length - 2) / results.length));
  const table = new Table({
    head: ["", ...results.map(({ strategy }) => strategy)],
    colWidths: [LABEL_WIDTH, ...results.map(() => valueWidth)],
    colAligns: ["left", ...results.map(() => "right" as const)],
    style: { head: [], border: [], compact: true },
  });
  const group = (title: string) => table.push([{ colSpan: results.length + 1, content: title }]);
  const row = (label: string, cell: (entry: StrategyResult) => string) =>
    table.push([`  ${label}`, ...results.map(cell)]);
  const baseline = results.find(({ strategy }) => strategy === "no-cache");

  group(workload.runs === 1 ? "Latency, 1 run" : `Latency, median of ${workload.runs} runs (min–max)`);
  row("TTFT", ({ ttft_ms }) => spread(ttft_ms));
  row("TPOT", ({ tpot_ms }) => spread(tpot_ms));
  row("total (E2E)", ({ e2e_ms }) => spread(e2e_ms));
  row("decode tokens/s", ({ tokens_per_second: rate }) => rate === null ? "–" : formatSignificant(rate));
  row("prefill tokens/s", ({ prefill_tokens_per_second: rate }) => formatSignificant(rate));
  if (baseline !== undefined && results.length > 1) {
    row("TPOT vs no-cache", (entry) => speedUp(baseline.tpot_ms.median, entry.tpot_ms.median));
    row("total vs no-cache", (entry) => speedUp(baseline.e2e_ms.median, entry.e2e_ms.median));
  }
  row("GPU time per token", ({ gpu_ms_per_token: ms }) => ms === null ? "unavailable" : formatMs(ms));
  row("dispatches per token", ({ dispatches_per_token }) => formatSignificant(dispatches_per_token));

  group("GPU memory, peak");
  row("total", ({ gpu_peak_bytes }) => formatBytes(gpu_peak_bytes.total));
  row("weights", ({ gpu_peak_bytes }) => formatBytes(gpu_peak_bytes.weights));
  row("K/V", ({ gpu_peak_bytes }) => formatBytes(gpu_peak_bytes.kv));
  row("activations", ({ gpu_peak_bytes }) => formatBytes(gpu_peak_bytes.activations));
  row("tables", ({ gpu_peak_bytes }) => formatBytes(gpu_peak_bytes.tables));
  row("staging", ({ gpu_peak_bytes }) => formatBytes(gpu_peak_bytes.staging));

  const share = (bytes: number, { kv_reserved_bytes }: StrategyResult) =>
    bytes === 0 ? "0 B" : `${formatBytes(bytes)} (${formatPercent(bytes, kv_reserved_bytes)})`;
  group("K/V at the end (share of what the request reserves)");
  row("reserved", ({ kv_reserved_bytes }) => formatBytes(kv_reserved_bytes));
  row("used", (entry) => share(entry.kv_used_bytes, entry));
  row("wasted", (entry) => share(wasteOf(entry), entry));
  row("  for later", (entry) => share(entry.kv_waste_bytes.reserved_for_later, entry));
  row("  internal", (entry) => share(entry.kv_waste_bytes.internal, entry));
  row("  external", (entry) => share(entry.kv_waste_bytes.external, entry));
  row("free for others", (entry) => formatBytes(freeOf(entry)));
  return table.toString();
}

/** What the numbers mean, one sentence or two an entry. */
function sentences({ results, workload, environment }: BenchResult): string[] {
  const lines: string[] = [];
  const baseline = results.find(({ strategy }) => strategy === "no-cache");
  const others = results.filter((entry) => entry !== baseline);

  if (workload.new_tokens === 1) {
    lines.push("One new token has no decode phase: there is no TPOT, and nothing for a cache to save.");
  } else if (baseline !== undefined) {
    for (const entry of others) lines.push(compareDecode(entry, baseline, workload.runs));
  }

  const [first, ...rest] = others.map((entry) => {
    const wasted = wasteOf(entry), free = freeOf(entry);
    const unused = wasted === 0
      ? "all of it used"
      : `${formatPercent(wasted, entry.kv_reserved_bytes)} of it unused`;
    return `${entry.strategy} reserves ${
      formatBytes(entry.kv_reserved_bytes)
    } of K/V for ${entry.kv_tokens} tokens, ` +
      unused + (free === 0 ? "" : `, and leaves ${formatBytes(free)} of its pool to other requests`);
  });
  if (first !== undefined) {
    const against = baseline === undefined
      ? ""
      : `; no-cache needs ${formatBytes(baseline.kv_allocated_bytes)} for one layer's scratch`;
    lines.push(`${[first, ...rest].join("; ")}${against}.`);
  }
  if (environment.adapter.software) {
    lines.push(
      `Caution: ${environment.adapter.description} computes on the CPU. These latencies and their ratios are ` +
        "not those of a GPU.",
    );
  }
  return lines;
}

/** A claim about speed that goes no further than the samples do. */
function compareDecode(entry: StrategyResult, baseline: StrategyResult, runs: number): string {
  const [mine, theirs] = [entry.tpot_ms.median ?? NaN, baseline.tpot_ms.median ?? NaN];
  const figures = `${formatMs(mine)} against ${formatMs(theirs)}`;
  const apart = Math.max(...entry.tpot_ms.samples) < Math.min(...baseline.tpot_ms.samples) ||
    Math.max(...baseline.tpot_ms.samples) < Math.min(...entry.tpot_ms.samples);
  if (!apart) {
    return `${entry.strategy} and ${baseline.strategy} don't differ by more than their runs do (${figures} per token).`;
  }
  const ratio = mine < theirs ? theirs / mine : mine / theirs;
  const doubt = runs === 1 ? ", from one run, so that the spread is unknown" : "";
  return `${entry.strategy} decodes ${formatSignificant(ratio)} × ${
    mine < theirs ? "faster" : "slower"
  } per token ` +
    `than ${baseline.strategy} (${figures}${doubt}).`;
}

/** "7.80 (7.71–7.93) ms", without the range for one sample. */
function spread({ median, samples }: { median: number | null; samples: readonly number[] }): string {
  if (median === null) return "–";
  if (samples.length < 2) return formatMs(median);
  return formatMsRange(median, Math.min(...samples), Math.max(...samples));
}

function speedUp(baselineMs: number | null, ms: number | null): string {
  return baselineMs === null || ms === null || ms === 0 ? "–" : `${formatSignificant(baselineMs / ms)} ×`;
}

function wasteOf({ kv_waste_bytes: waste }: StrategyResult): number {
  return waste.reserved_for_later + waste.internal + waste.external;
}

/** Bytes of K/V buffer that belong to no request. */
function freeOf({ kv_allocated_bytes, kv_reserved_bytes, kv_waste_bytes }: StrategyResult): number {
  return kv_allocated_bytes - kv_reserved_bytes - kv_waste_bytes.external;
}

/** `text` in lines of at most 100 columns, broken at spaces. */
function wrap(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= WIDTH) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines;
}
