/** The terminal report of a load test. */
import type { LoadResult } from "../load/load_result.ts";
import { inEnglish, type Say } from "./lang.ts";
import { drawTable } from "./text_table.ts";
import { formatCount, formatMs, formatSignificant } from "./units.ts";

const PERCENTILES = ["mean", "p50", "p90", "p99", "max"] as const;

/** Returns the report as lines of text, no newline at the end. */
export function loadTable(result: LoadResult): string {
  return [loadHeading(result), ...failures(result), throughput(result), latencies(result)].join("\n");
}

/** Says what was sent, in a line or two. */
export function loadHeading({ server, workload, interrupted }: LoadResult, t: Say = inEnglish): string {
  const { requests, rate_per_second: rate, max_concurrency: most, lengths, prefix_tokens: prefix } = workload;
  const arrivals = rate === null ? t`all at once` : t`${rate} per second`;
  return t`${server.model} at ${server.url}: ${formatCount(requests)} requests ${arrivals}` +
    (most === null ? "" : t`, at most ${formatCount(most)} in flight`) + t`; lengths: ${lengths}` +
    (prefix === 0 ? "" : t`; all prompts share their first ${formatCount(prefix)} tokens`) +
    (interrupted ? `\n${t`Interrupted: the figures are of the requests that were answered.`}` : "");
}

function failures({ failures }: LoadResult): string[] {
  return failures.map(({ reason, requests }) => `${formatCount(requests)} failed: ${reason}`);
}

function throughput(result: LoadResult): string {
  const { goodput_per_second: goodput, limits } = result;
  const asked = (["ttft", "tpot", "e2e"] as const).flatMap((name) => {
    const ms = limits[`${name}_ms`];
    return ms === null ? [] : [`${name.toUpperCase()} ≤ ${formatMs(ms)}`];
  });
  return drawTable([
    ["requests finished", formatCount(result.finished)],
    ["duration", formatMs(1000 * result.seconds)],
    ["prompt tokens", formatCount(result.prompt_tokens)],
    ["output tokens", formatCount(result.output_tokens)],
    ["requests/s", formatSignificant(result.requests_per_second)],
    ...(goodput === null ? [] : [[`goodput, requests/s (${asked.join(", ")})`, formatSignificant(goodput)]]),
    ["output tokens/s", formatSignificant(result.output_tokens_per_second)],
    ["all tokens/s", formatSignificant(result.total_tokens_per_second)],
    ["most requests in flight", formatCount(result.peak_concurrency)],
  ]);
}

function latencies(result: LoadResult): string {
  const rows = (["ttft", "tpot", "itl", "e2e"] as const).map((name) => {
    const summary = result[`${name}_ms`];
    return [name.toUpperCase(), ...PERCENTILES.map((p) => summary === null ? "–" : formatMs(summary[p]))];
  });
  return drawTable(rows, { head: ["", ...PERCENTILES] });
}
