/** A result as flat rows, one per cell, for spreadsheets and line-based tools. */
import { qualityOf } from "../measure/quality/bench_quality.ts";
import type { ScoredCell } from "../measure/quality/scored_cell.ts";
import type { Cell } from "../measure/record/cell.ts";
import type { BenchResult } from "../measure/record/result.ts";
import { precision, type Summary } from "../measure/findings/summary.ts";
import { kvMeans } from "./kv_memory.ts";
import { inEnglish, inWords, type Say } from "./lang.ts";
import { optionKeys, varyingSettings } from "./labels.ts";
import { formatBytes, formatDivergence, formatPercent, formatSignificant } from "./units.ts";

type Row = Record<string, string | number | boolean | null>;

/**
 * Returns rows with the same names in the same order.
 *
 * @param options Names of the options that get a column. Default: those of the result.
 */
export function rowsOf(result: BenchResult, options = optionKeys(result.cells)): Row[] {
  const { environment, model, created } = result;
  const { weights } = model;
  return result.cells.map((cell) => {
    const { peak_bytes, ...memory } = cell.memory;
    return {
      created,
      kvbench: environment.kvbench,
      git_commit: environment.git_commit,
      deno: environment.deno,
      os: environment.os,
      cpu: environment.cpu.model,
      adapter: environment.adapter.description,
      software_adapter: environment.adapter.software,
      backend: environment.adapter.backend,
      model: model.name,
      n_parameters: model.n_parameters,
      weights_source: weights.source,
      weights_sha256: weights.source === "checkpoint" ? weights.sha256 : null,
      weights_dtype: model.weights_dtype,
      strategy: cell.strategy,
      ...work(cell),
      ...Object.fromEntries(options.map((key) => [key, cell.settings[key] ?? null])),
      kv_storage: cell.kv_storage,
      runs: cell.e2e_ms.samples.length,
      ...summaryRow("ttft_ms", cell.ttft_ms),
      ...summaryRow("tpot_ms", cell.tpot_ms),
      ...summaryRow("e2e_ms", cell.e2e_ms),
      decode_tokens_per_second: cell.decode_tokens_per_second,
      prefill_tokens_per_second: cell.prefill_tokens_per_second,
      itl_ms_median: cell.itl_ms?.median ?? null,
      itl_ms_p90: cell.itl_ms?.p90 ?? null,
      itl_ms_p99: cell.itl_ms?.p99 ?? null,
      gpu_ms_per_token: cell.gpu_ms_per_token,
      encode_ms_per_token: cell.encode_ms_per_token,
      dispatches_per_token: cell.dispatches_per_token,
      ...prefixed("peak_bytes_", peak_bytes),
      kv_used_bytes: memory.kv_used_bytes,
      kv_reserved_bytes: memory.kv_reserved_bytes,
      kv_allocated_bytes: memory.kv_allocated_bytes,
      ...prefixed("kv_mean_bytes_", kvMeans(cell)),
      ...qualityRow(qualityOf(result.quality, cell)),
    };
  });
}

function work({ settings: { prompt_tokens, new_tokens, batch, kv_dtype } }: Cell): Row {
  return { prompt_tokens, new_tokens, batch, kv_dtype };
}

function qualityRow(scored: ScoredCell | undefined): Row {
  const divergence = scored?.divergence;
  return {
    kld_mean: divergence?.kld.mean.value ?? null,
    kld_p99: divergence?.kld.p99 ?? null,
    same_top: divergence?.same_top.value ?? null,
    perplexity_ratio: divergence?.perplexity_ratio.value ?? null,
  };
}

function summaryRow(name: string, summary: Summary | null): Row {
  const [low, high] = summary?.median_ci ?? [null, null];
  return prefixed(`${name}_`, {
    median: summary?.median ?? null,
    median_ci_low: low,
    median_ci_high: high,
    mean: summary?.mean ?? null,
    stddev: summary?.stddev ?? null,
    min: summary?.min ?? null,
    p90: summary?.p90 ?? null,
    p95: summary?.p95 ?? null,
    p99: summary?.p99 ?? null,
    max: summary?.max ?? null,
  });
}

function prefixed(prefix: string, row: Row): Row {
  return Object.fromEntries(Object.entries(row).map(([key, value]) => [`${prefix}${key}`, value]));
}

/** Formats results as comma-separated values with a header, after RFC 4180 but with line feeds. */
export function csv(results: readonly BenchResult[]): string {
  const options = optionKeys(results.flatMap(({ cells }) => cells));
  const rows = results.flatMap((result) => rowsOf(result, options));
  const names = Object.keys(rows[0] ?? {});
  const quoted = (value: Row[string]) => {
    const text = value === null ? "" : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [names, ...rows.map((row) => names.map((name) => row[name]!))]
    .map((line) => line.map(quoted).join(",")).join("\n");
}

/** Formats results as one JSON object per line and cell: the row, with its raw samples. */
export function jsonLines(results: readonly BenchResult[]): string {
  return results.flatMap((result) =>
    rowsOf(result).map((row, i) => {
      const { ttft_ms, tpot_ms, e2e_ms, itl_ms, yardstick_ms }: Cell = result.cells[i]!;
      return JSON.stringify({
        ...row,
        samples: {
          ttft_ms: ttft_ms.samples,
          tpot_ms: tpot_ms?.samples ?? [],
          e2e_ms: e2e_ms.samples,
          itl_ms: itl_ms?.runs ?? [],
          yardstick_ms,
        },
      });
    })
  ).join("\n");
}

/** Returns the cells as a table for people, with a column for each setting that varies. */
export function shortRows(
  results: readonly BenchResult[],
  t: Say = inEnglish,
): { head: string[]; rows: string[][] } {
  const all = results.flatMap(({ cells, model, environment, quality }) =>
    cells.map((cell) => ({
      cell,
      model,
      adapter: environment.adapter.description,
      divergence: qualityOf(quality, cell)?.divergence,
    }))
  );
  const varies = (of: (each: typeof all[number]) => unknown) => new Set(all.map(of)).size > 1;
  const columns: [name: string, value: (each: typeof all[number]) => string][] = [
    [t`model`, ({ model }) => model.name],
    ...(varies(({ adapter }) => adapter)
      ? [[t`adapter`, ({ adapter }) => adapter] as typeof columns[number]]
      : []),
    [t`strategy`, ({ cell }) => cell.strategy],
    [t`test`, ({ cell: { settings } }) => `pp${settings.prompt_tokens}+tg${settings.new_tokens}`],
    ...varyingSettings(results.flatMap(({ cells }) => cells))
      .filter((key) => key !== "prompt_tokens" && key !== "new_tokens")
      .map((key): typeof columns[number] => [
        settingName(key, t),
        ({ cell }) => String(cell.settings[key] ?? ""),
      ]),
    [t`TTFT ms`, ({ cell }) => withPrecision(cell.ttft_ms)],
    [t`TPOT ms`, ({ cell }) => withPrecision(cell.tpot_ms)],
    [t`total ms`, ({ cell }) => withPrecision(cell.e2e_ms)],
    [t`prefill t/s`, ({ cell }) => formatSignificant(cell.prefill_tokens_per_second)],
    [
      t`decode t/s`,
      ({ cell }) =>
        cell.decode_tokens_per_second === null ? "" : formatSignificant(cell.decode_tokens_per_second),
    ],
    [t`peak`, ({ cell }) => formatBytes(cell.memory.peak_bytes.total)],
    [t`K/V reserved`, ({ cell }) => formatBytes(cell.memory.kv_reserved_bytes)],
    ...(all.some(({ divergence }) => divergence)
      ? [
        ["KLD", ({ divergence }) => divergence ? formatDivergence(divergence.kld.mean.value) : ""],
        [t`same top`, ({ divergence }) => divergence ? formatPercent(divergence.same_top.value, 1) : ""],
      ] as typeof columns
      : []),
  ];
  return {
    head: columns.map(([name]) => name),
    rows: all.map((each) => columns.map(([, value]) => value(each))),
  };
}

/** Formats a median and half of its interval: "7.80 ± 0.12". */
function withPrecision(summary: Summary | null): string {
  if (summary === null) return "";
  const share = precision(summary);
  const spread = Number.isFinite(share) ? ` ± ${formatSignificant(share * summary.median)}` : "";
  return `${formatSignificant(summary.median)}${spread}`;
}

/** Names of the work's settings as columns. */
const SETTINGS: Readonly<Record<string, string>> = { batch: inEnglish`batch`, kv_dtype: inEnglish`kv dtype` };

function settingName(key: string, t: Say): string {
  return inWords(SETTINGS[key] ?? key.replaceAll("_", " "), t);
}
