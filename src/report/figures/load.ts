/** Charts of load tests: how latencies are distributed, and throughput against latency. */
import type { LoadResult } from "../../load/load_result.ts";
import { nearestRank } from "../../simulate/samples.ts";
import { inEnglish, type Say } from "../lang.ts";
import type { Figure, LineFigure } from "./figure.ts";

/** Returns the charts of one load test. */
export function loadFigures(result: LoadResult, t: Say = inEnglish): Figure[] {
  const { requests } = result;
  if (requests.length === 0) return [];
  const tpot = requests.filter(({ output_tokens }) => output_tokens > 1)
    .map(({ ttft_ms, e2e_ms, output_tokens }) => (e2e_ms - ttft_ms) / (output_tokens - 1));
  return [
    distributionFigure("TTFT", t`Time to first token`, requests.map(({ ttft_ms }) => ttft_ms), t),
    ...(tpot.length === 0 ? [] : [distributionFigure("TPOT", t`Time per output token`, tpot, t)]),
    requestsFigure(result, t),
  ];
}

/** Charts the share of requests that took no longer than a time. */
function distributionFigure(name: string, title: string, values: readonly number[], t: Say): LineFigure {
  const sorted = values.toSorted((a, b) => a - b);
  const share = (i: number) => 100 * (i + 1) / sorted.length;
  return {
    kind: "lines",
    id: `${name.toLowerCase()}-distribution`,
    title: t`${title}: share of requests`,
    caption: t`Share of requests whose ${name} was no longer than this.`,
    x: { title: t`${name} (ms)`, unit: "ms", log: false, min: 0 },
    y: { title: t`% of requests`, unit: "%", log: false, min: 0, max: 100 },
    series: [{
      name,
      colour: name === "TTFT" ? "prefill" : "decode",
      points: sorted.map((ms, i) => [ms, share(i)] as const),
      marks: sorted.length <= 50 ? "points" : "none",
    }],
    table: {
      head: [t`% of requests`, t`${name} at most (ms)`],
      rows: [50, 75, 90, 95, 99, 100].map((
        p,
      ) => [p, nearestRank(sorted, p)]),
    },
  };
}

/** Charts each request's latency over the time at which it was sent. */
function requestsFigure({ requests }: LoadResult, t: Say): LineFigure {
  const points = (key: "ttft_ms" | "e2e_ms") =>
    requests.map((each) => [each.start_ms / 1000, each[key]] as const);
  return {
    kind: "lines",
    id: "latency-over-time",
    title: t`Latency of each request`,
    caption: t`Two points a request, at the time at which it was sent: its first token, and its last.`,
    x: { title: t`sent (s)`, unit: "s", log: false, min: 0 },
    y: { title: "ms", unit: "ms", log: false, min: 0 },
    series: [
      { name: "TTFT", colour: "prefill", points: points("ttft_ms"), marks: "only points" },
      { name: "E2E", colour: "decode", points: points("e2e_ms"), marks: "only points" },
    ],
    table: {
      head: [t`sent (ms)`, t`prompt tokens`, t`output tokens`, t`TTFT (ms)`, t`E2E (ms)`],
      rows: requests.map((each) => [
        each.start_ms,
        each.prompt_tokens,
        each.output_tokens,
        each.ttft_ms,
        each.e2e_ms,
      ]),
    },
  };
}

/** Charts throughput against latency: a point per load test. */
export function throughputFigure(results: readonly LoadResult[], t: Say = inEnglish): LineFigure {
  const labels = results.map(({ workload: { rate_per_second: rate, max_concurrency: most } }) =>
    rate === null ? (most === null ? t`all at once` : t`${most} in flight`) : t`${rate}/s`
  );
  return {
    kind: "lines",
    id: "throughput-latency",
    title: t`Throughput against latency`,
    caption: t`A point per load test, with its load beside it. A server that is full gains latency and no
        throughput.`,
    x: { title: t`median TPOT (ms)`, unit: "ms", log: false, min: 0 },
    y: { title: t`output tokens/s`, unit: t`tokens/s`, log: false, min: 0 },
    series: [{
      name: t`load tests`,
      colour: "decode",
      points: results.flatMap(({ tpot_ms, output_tokens_per_second: rate }) =>
        tpot_ms === null ? [] : [[tpot_ms.p50, rate] as const]
      ),
      labels: labels.filter((_, i) => results[i]!.tpot_ms !== null),
      marks: "only points",
    }],
    table: {
      head: [t`load`, t`output tokens/s`, t`TTFT p50 (ms)`, t`TPOT p50 (ms)`, t`E2E p99 (ms)`],
      rows: results.map((each, i) => [
        labels[i]!,
        each.output_tokens_per_second,
        each.ttft_ms?.p50 ?? null,
        each.tpot_ms?.p50 ?? null,
        each.e2e_ms?.p99 ?? null,
      ]),
    },
  };
}
