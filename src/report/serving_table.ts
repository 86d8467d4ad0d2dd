/**
 * The terminal report of one serving simulation: a table with a column per policy, and notes on its numbers.
 */
import { findStrategy } from "../kv/registry.ts";
import type { ServingEntry } from "../simulate/entry.ts";
import type { ServingResult, ServingSetup } from "../simulate/serving_result.ts";
import { sayOnCpu } from "./cautions.ts";
import { inEnglish, type Say } from "./lang.ts";
import { namedEntries, type NamedEntry } from "./policy_names.ts";
import { columnTable } from "./text_table.ts";
import { formatBytes, formatCount, formatDivergence, formatMs, formatSignificant } from "./units.ts";
import { wrap } from "./wrap.ts";

/** Returns the report as lines of text, no newline at the end. */
export function servingTable(result: ServingResult): string {
  const { results } = result;
  const policies = `${results.length} ${results.length === 1 ? "policy" : "policies"}`;
  return [
    servingHeading(result, policies),
    policyTable(result),
    ...servingNotes(result).flatMap((line) => wrap(line)),
  ].join("\n");
}

/** Says in two lines what was served. */
export function servingHeading(setup: ServingSetup, ...more: readonly string[]): string {
  const [model, workload] = servingParts(setup);
  return [[model, ...more].join(", "), workload].join("\n");
}

/** Says the model with its memory, and what was asked of it. */
export function servingParts(
  { model, workload, limits }: ServingSetup,
  t: Say = inEnglish,
): readonly [model: string, workload: string] {
  const { requests, rate_per_second: rate, lengths, length_scale: scale } = workload;
  const arrivals = rate === null ? t`all at once` : t`${rate} per second`;
  const tokens = formatCount(Math.floor(limits.kv_budget_bytes / model.kv_token_bytes));
  const scaled = scale === 1 ? "" : ` × ${formatSignificant(scale)}`;
  return [
    t`${model.name}, K/V budget ${formatBytes(limits.kv_budget_bytes)} = ${tokens} tokens`,
    t`${formatCount(requests)} requests ${arrivals}, lengths: ${lengths}${scaled}`,
  ];
}

function policyTable({ results, limits }: ServingResult): string {
  const titles = namedEntries(results).map(({ name }) => name);
  const { group, row, draw } = columnTable(results, { titles, label: 26, most: 20 });
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const latency = (pick: (entry: ServingEntry) => ServingEntry["ttft_ms"], p: "p50" | "p99") =>
  (
    entry: ServingEntry,
  ) => {
    const summary = pick(entry);
    return summary === null ? "–" : formatMs(summary[p]);
  };

  group("Requests");
  row("finished", ({ finished }) => formatCount(finished));
  if (results.some(({ refused }) => refused > 0)) row("refused", ({ refused }) => formatCount(refused));
  row("output tokens/s", (entry) => formatSignificant(entry.output_tokens_per_second));
  row("requests/s", (entry) => formatSignificant(entry.requests_per_second));
  if (limits.ttft_ms !== null) {
    row(
      "goodput, requests/s",
      ({ goodput_per_second: rate }) => rate === null ? "–" : formatSignificant(rate),
    );
  }
  row("TTFT p50", latency(({ ttft_ms }) => ttft_ms, "p50"));
  row("TTFT p99", latency(({ ttft_ms }) => ttft_ms, "p99"));
  row("TPOT p50", latency(({ tpot_ms }) => tpot_ms, "p50"));
  row("TPOT p99", latency(({ tpot_ms }) => tpot_ms, "p99"));
  row("E2E p50", latency(({ e2e_ms }) => e2e_ms, "p50"));
  group("Sequences running");
  row("mean", ({ sequences_mean }) => sequences_mean.toFixed(2));
  row("peak", ({ sequences_peak }) => formatCount(sequences_peak));
  group("K/V memory, mean over time");
  row("token states", ({ kv_share }) => percent(kv_share.token_states));
  row("reserved for later", ({ kv_share }) => percent(kv_share.reserved));
  row("internal waste", ({ kv_share }) => percent(kv_share.internal));
  row("external waste", ({ kv_share }) => percent(kv_share.external));
  row("free", ({ kv_share }) => percent(kv_share.free));
  row("token states of reserved", ({ kv_in_use_token_states }) => percent(kv_in_use_token_states));
  row("saved by sharing", ({ sharing_saved }) => percent(sharing_saved));
  group("Preemptions");
  row("to recompute", ({ preemptions }) => formatCount(preemptions.recomputes));
  row("by swapping", ({ preemptions }) => formatCount(preemptions.swaps));
  if (results.some(({ prefix_hit_tokens }) => prefix_hit_tokens > 0)) {
    row("prefix cache hits, tokens", ({ prefix_hit_tokens }) => formatCount(prefix_hit_tokens));
  }
  if (results.some(({ quality }) => quality !== null)) {
    group("Quality against full float32");
    row("KL divergence, nats", ({ quality }) => quality ? formatDivergence(quality.kld_mean) : "–");
    row("same likeliest token", ({ quality }) => quality ? percent(quality.same_top) : "–");
  }
  return draw();
}

/** Says how many more sequences run than with other policies: `sequences` over each of theirs. */
function sayTimes(sequences: number, others: readonly NamedEntry[], t: Say): string {
  return others.map(({ name, sequences_mean }) =>
    t`${formatSignificant(sequences / sequences_mean)} × those of ${name}`
  ).join(t`, `);
}

/** Says how many sequences would run without any waste, which bounds the ratios. */
function sayRoom(sharing: NamedEntry, others: readonly NamedEntry[], t: Say): string[] {
  const { kv_share, capacity_tokens: capacity, sequences_mean: sequences } = sharing;
  if (kv_share.token_states === 0 || sharing.sharing_saved > 0) return [];
  const room = sequences / kv_share.token_states, tokens = formatSignificant(capacity / room);
  return [
    t`Without any waste, ${
      formatSignificant(room)
    } sequences of ${tokens} tokens (the mean of ${sharing.name}) would run: ${sayTimes(room, others, t)}.`,
  ];
}

/** Says what the table does not: gains, and what the figures are worth. */
export function servingNotes({ clock, results: entries }: ServingResult, t: Say = inEnglish): string[] {
  const lines: string[] = [], results = namedEntries(entries);
  const shares = ({ policy }: ServingEntry) => findStrategy(policy)?.traits.shares ?? false;
  const sharing = results.find(shares);
  const others = results.filter((entry) => !shares(entry) && entry.sequences_mean > 0);
  if (sharing !== undefined && others.length > 0) {
    const times = sayTimes(sharing.sequences_mean, others, t);
    lines.push(t`Sequences at once with ${sharing.name}: ${times}.`, ...sayRoom(sharing, others, t));
  }
  if (clock.source === "model") {
    lines.push(
      t`Times are modelled, not measured: the roofline of ${clock.gpu}, plus ${
        formatMs(clock.overhead_ms)
      } per step. Memory and batch sizes are exact.`,
    );
  }
  const allExact = results.every(({ policy }) => findStrategy(policy)?.traits.exact ?? true);
  const checked = results.flatMap(({ ids_check }) => ids_check === null ? [] : [ids_check]);
  if (checked.length > 0) {
    const compared = checked.reduce((sum, each) => sum + each.compared, 0);
    const ties = checked.reduce((sum, each) => sum + each.ties, 0);
    lines.push(
      t`Every ${allExact ? "" : t`exact `}policy gave every request the same greedy ids: ${
        formatCount(compared)
      } sequences compared` +
        (ties === 0 ? t`.` : t`, of which ${ties} differ from where two logits are equal but for rounding.`),
    );
  }
  if (clock.source === "gpu" && clock.software) {
    lines.push(
      t`Caution: ${sayOnCpu(clock.adapter, t)}`,
    );
  }
  return lines;
}
