/**
 * Charts of a serving simulation: requests and K/V memory in the course of time, block tables, and throughput against
 * memory.
 */
import type { ServingEntry } from "../../simulate/entry.ts";
import type { ServingResult } from "../../simulate/serving_result.ts";
import { inEnglish, inWords, type Say } from "../lang.ts";
import { byteUnit, timeUnit } from "../units.ts";
import {
  type Axis,
  axisFor,
  type BarFigure,
  type ColourKey,
  type Figure,
  type LineFigure,
} from "./figure.ts";
import { namedEntries, type NamedEntry } from "../policy_names.ts";
import { colourOf, lineOf } from "./strategy_line.ts";

/** Most requests of a Gantt chart. */
const MOST_ROWS = 40;

/** Uses of K/V memory, from the bottom of a stack to its top. */
const USES = [
  { key: "token_states", name: inEnglish`token states`, colour: "used" },
  { key: "reserved", name: inEnglish`reserved`, colour: "later" },
  { key: "internal", name: inEnglish`internal waste`, colour: "internal" },
  { key: "external", name: inEnglish`external waste`, colour: "external" },
  { key: "free", name: inEnglish`free`, colour: "free" },
] as const satisfies readonly {
  key: keyof NonNullable<ServingEntry["timeline"]>;
  name: string;
  colour: ColourKey;
}[];

/** Returns the charts for which a result has data, in the order of a report. */
export function servingFigures(result: ServingResult, t: Say = inEnglish): Figure[] {
  const results = namedEntries(result.results);
  const unit = timeUnit(lastOf(results));
  return [
    sequencesFigure(results, unit, t),
    ...results.map((entry) => memoryFigure(result, entry, unit, t)),
    ...ganttFigures(results, unit, t),
    ...results.map((entry) => blocksFigure(entry, t)),
    throughputFigure(results, t),
  ].filter((figure) => figure !== undefined);
}

type TimeUnit = ReturnType<typeof timeUnit>;

function timeAxis({ name, ms }: TimeUnit, lastMs: number, t: Say): Axis {
  return { title: t`time (${name})`, unit: name, log: false, min: 0, max: lastMs / ms };
}

function lastOf(entries: readonly ServingEntry[]): number {
  return Math.max(...entries.map(({ seconds }) => 1000 * seconds));
}

/** Charts how many sequences run, policy by policy. */
function sequencesFigure(results: readonly NamedEntry[], unit: TimeUnit, t: Say): LineFigure | undefined {
  const known = results.flatMap(({ policy, name, timeline }) =>
    timeline === null ? [] : [{ policy, name, timeline }]
  );
  if (known.length === 0) return undefined;
  return {
    kind: "lines",
    id: "sequences",
    title: t`Sequences that run at once`,
    caption:
      t`Each policy serves the same requests from the same memory. Whoever runs more of them at once is done
        sooner.`,
    x: timeAxis(unit, lastOf(results), t),
    y: { title: t`sequences`, unit: t`sequences`, log: false, min: 0 },
    series: known.map(({ policy, name, timeline: { span_ms, sequences } }) => ({
      ...lineOf(policy),
      name,
      points: sequences.map((each, i) => [(i + 0.5) * span_ms / unit.ms, each] as const),
      marks: "none" as const,
    })),
    table: {
      head: [t`policy`, t`mean`, t`peak`, t`time (s)`],
      rows: results.map(({ name, sequences_mean, sequences_peak, seconds }) => [
        name,
        sequences_mean,
        sequences_peak,
        seconds,
      ]),
    },
  };
}

/** Charts what K/V memory is used for in the course of time. */
function memoryFigure(
  { results, model: { kv_token_bytes: bytes } }: ServingResult,
  { name, anchor, timeline, capacity_tokens: capacity, kv_share: share }: NamedEntry,
  unit: TimeUnit,
  t: Say,
): LineFigure | undefined {
  if (timeline === null) return undefined;
  const size = byteUnit(capacity * bytes);
  const scaled = (tokens: number) => tokens * bytes / size.bytes;
  return {
    kind: "lines",
    id: `kv-over-time-${anchor}`,
    title: t`K/V memory over time, ${name}`,
    caption:
      t`The memory by use: tokens that are stored, tokens reserved for later, and what is lost or free.`,
    x: timeAxis(unit, lastOf(results), t),
    y: { title: size.name, unit: size.name, log: false, min: 0, max: scaled(capacity) },
    stacked: true,
    series: USES.map(({ key, name, colour }) => ({
      name: inWords(name, t),
      colour,
      points: timeline[key].map((tokens, i) =>
        [(i + 0.5) * timeline.span_ms / unit.ms, scaled(tokens)] as const
      ),
      marks: "none" as const,
    })),
    table: {
      head: [t`use`, t`mean over time (%)`],
      rows: USES.map(({ key, name }) => [inWords(name, t), 100 * share[key]]),
    },
  };
}

/** Charts when requests waited and when they ran, on one axis for all policies. */
function ganttFigures(results: readonly NamedEntry[], unit: TimeUnit, t: Say): BarFigure[] {
  const charts = results.flatMap(({ name, anchor, requests }) => {
    const shown = (requests ?? []).toSorted((a, b) => a.request - b.request).slice(0, MOST_ROWS);
    return shown.length === 0 ? [] : [{ name, anchor, shown }];
  });
  const last = Math.max(...charts.flatMap(({ shown }) => shown.map(({ end_ms }) => end_ms)));
  return charts.map(({ name, anchor, shown }) => {
    const times = (key: "arrival_ms" | "first_token_ms" | "end_ms") =>
      shown.map((each) => each[key] / unit.ms);
    return {
      kind: "bars",
      id: `requests-${anchor}`,
      title: t`Requests over time, ${name}`,
      caption:
        t`The first ${shown.length} requests in the order of arrival: until the first token, and from there
          to the last.`,
      categories: shown.map(({ request }) => `${request + 1}`),
      x: timeAxis(unit, last, t),
      series: [
        {
          name: t`until the first token`,
          colour: "free",
          values: times("first_token_ms"),
          from: times("arrival_ms"),
        },
        { name: t`decoding`, colour: "decode", values: times("end_ms"), from: times("first_token_ms") },
      ],
      stacked: false,
      table: {
        head: [t`request`, t`arrival (ms)`, t`first token (ms)`, t`last token (ms)`],
        rows: shown.map((each) => [each.request + 1, each.arrival_ms, each.first_token_ms, each.end_ms]),
      },
    };
  });
}

/** Shades by which the sequences of a block table are told apart. */
const SEQUENCE_COLOURS: readonly ColourKey[] = [
  "decode",
  "later",
  "used",
  "tables",
  "external",
  "staging",
  "internal",
  "free",
];

/** Charts which physical block holds each logical block. */
function blocksFigure({ name, anchor, layout }: NamedEntry, t: Say): LineFigure | undefined {
  if (layout === null) return undefined;
  const { sequences, pool_blocks, block_tokens } = layout;
  return {
    kind: "lines",
    id: `blocks-${anchor}`,
    title: t`Block tables, ${name}`,
    caption:
      t`Blocks of ${block_tokens} tokens of the first sequences, in the fullest step after the first request
        ended. A block lies wherever one was free; what follows it in the text may lie anywhere else.`,
    x: { title: t`physical block`, unit: "", log: false, min: 0, max: pool_blocks },
    y: { title: t`logical block`, unit: "", log: false, min: 0 },
    series: sequences.map(({ request, blocks }, i) => ({
      name: t`request ${request + 1}`,
      colour: SEQUENCE_COLOURS[i]!,
      points: blocks.map((block, logical) => [block, logical] as const),
      marks: "only points" as const,
    })),
    table: {
      head: [t`request`, t`tokens`, t`physical blocks in logical order`],
      rows: sequences.map(({ request, tokens, blocks }) => [request + 1, tokens, blocks.join(" ")]),
    },
  };
}

/** Charts throughput against the share of memory that holds tokens: a point per policy. */
function throughputFigure(results: readonly NamedEntry[], t: Say): LineFigure {
  const tokens = results.map((each) => each.output_tokens_per_second);
  return {
    kind: "lines",
    id: "throughput",
    title: t`Throughput against the use of memory`,
    caption:
      t`A point per policy. Memory that holds tokens serves requests; memory that is reserved or lost does
        not.`,
    x: {
      title: t`K/V memory that holds tokens, mean over time (%)`,
      unit: "%",
      log: false,
      min: 0,
      max: 100,
    },
    y: axisFor(t`output tokens/s`, t`tokens/s`, tokens, t),
    series: results.map(({ policy, name, kv_share, output_tokens_per_second: rate }) => ({
      name,
      colour: colourOf(policy),
      points: [[100 * kv_share.token_states, rate] as const],
      labels: [name],
      marks: "only points" as const,
    })),
    table: {
      head: [t`policy`, t`token states (%)`, t`output tokens/s`, t`sequences, mean`],
      rows: results.map((each) => [
        each.name,
        100 * each.kv_share.token_states,
        each.output_tokens_per_second,
        each.sequences_mean,
      ]),
    },
  };
}
