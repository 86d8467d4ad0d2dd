/** Results of many adapters in words: computed once, shown on the page, in the terminal and in pictures. */
import {
  type AdapterFigures,
  type AdapterFindings,
  adapterFindings,
  type Estimate,
  type SelfCheckOutcome,
} from "../../measure/findings/adapters.ts";
import { CLAIMS, isOf, type Kind } from "../../measure/findings/claims.ts";
import { overviewCells } from "../../measure/findings/overview.ts";
import type { BenchResult } from "../../measure/record/result.ts";
import type { Interval } from "../../measure/statistics/bootstrap.ts";
import { sayKind } from "../adapter_kind.ts";
import { inEnglish, inWords, type Lang, type Say } from "../lang.ts";
import { sayIn } from "../say.ts";
import { error } from "../selftest_table.ts";
import { formatBytes, formatSignificant } from "../units.ts";
import { oneLine } from "../wrap.ts";

/** Names of the figures of a row. */
export type FigureName = keyof AdapterFigures;

/**
 * The figures in the order of columns, with their axes: logarithmic or linear, and the value of no difference. Bytes are
 * exact, and have none.
 */
export const FIGURE_AXES: Readonly<
  Record<FigureName, { readonly log: boolean; readonly rule?: number } | undefined>
> = {
  cacheGain: { log: true, rule: 1 },
  pagingCost: { log: false, rule: 0 },
  tpotMs: { log: true },
  cacheBytes: undefined,
};

/** Names of the figures, in the order of columns. */
export const FIGURE_NAMES = Object.keys(FIGURE_AXES) as FigureName[];

/** Letters of a kernel hash and of a commit that are shown. */
const SHORT = 7;

const OUTCOMES: Readonly<Record<SelfCheckOutcome, string>> = {
  "right": inEnglish`right`,
  "wrong": inEnglish`wrong`,
  "not recorded": inEnglish`not recorded`,
};

/** A result as a row. */
export interface GalleryRow {
  readonly result: BenchResult;
  readonly findings: AdapterFindings;
  /** A name that no other row has, in lower case with hyphens. */
  readonly anchor: string;
  readonly name: string;
  /** Hardware or software, and its graphics API. */
  readonly kind: string;
  /** Commit and day; and versions and kernels besides. */
  readonly program: { readonly short: string; readonly long: string };
  /** Everything that a filter looks at. */
  readonly search: string;
  /** Outcome of the self-check, and how close the worst check came to its tolerance. */
  readonly check: { readonly outcome: string; readonly closest: string };
  readonly figures: Readonly<Record<FigureName, string>>;
}

/** Results of one plan. */
export interface GalleryView {
  /** Says texts in the view's language. */
  readonly t: Say;
  /** The claims in words. */
  readonly claims: readonly string[];
  readonly title: string;
  readonly heading: string;
  /** Titles of the columns. */
  readonly titles: Readonly<Record<FigureName | "check" | "adapter", string>>;
  /** Strategies that the figures are of. */
  readonly strategies: Readonly<Record<"none" | "cache" | "sharing", string>>;
  /** Rows, the one with the shortest time per token first. */
  readonly rows: readonly GalleryRow[];
  readonly cautions: readonly string[];
}

/** Computes the view of results of one plan and model, in each of which something is measured. */
export function galleryView(results: readonly BenchResult[], lang: Lang): GalleryView {
  const t = sayIn(lang);
  const cells = results.flatMap((result) => overviewCells(result));
  const { prompt_tokens: promptTokens, new_tokens: newTokens, batch } = cells[0]!.settings;
  const nameOf = (kind: Kind) => cells.find(({ strategy }) => isOf(kind, strategy))?.strategy ?? "–";
  const strategies = { none: nameOf("none"), cache: nameOf("cache"), sharing: nameOf("sharing") };
  const { none, cache, sharing } = strategies;
  const rows = results.map((result) => rowOf(result, t)).sort((a, b) => timeOf(a) - timeOf(b));
  return {
    t,
    claims: rows[0]!.findings.claims.map(({ claim }) => inWords(CLAIMS[claim], t)),
    title: t`${results.length} results of one plan`,
    heading: t`What a cache buys and what paging costs, adapter by adapter: ${
      oneLine(results[0]!.model.name)
    }, ${promptTokens} prompt + ${newTokens} new tokens, batch ${batch}`,
    titles: {
      check: t`right on this GPU`,
      adapter: t`adapter`,
      cacheGain: t`the cache buys: speed of ${cache} over ${none}`,
      pagingCost: t`paging costs: time of ${sharing} over ${cache}`,
      tpotMs: t`time per token with ${cache}`,
      cacheBytes: t`memory that ${cache} adds to ${none}`,
    },
    strategies,
    rows: withAnchors(rows),
    cautions: sayCautions(rows, t),
  };
}

function timeOf({ findings: { figures: { tpotMs } } }: Pick<GalleryRow, "findings">): number {
  return tpotMs?.value ?? Infinity;
}

function rowOf(result: BenchResult, t: Say): Omit<GalleryRow, "anchor"> {
  const { environment: { adapter, ...environment }, created } = result;
  const { git_commit, kernels_sha256, kvbench, deno, os, arch, cpu } = environment;
  const findings = adapterFindings(result), { closest, figures } = findings;
  const name = oneLine(adapter.description || adapter.vendor || t`an unnamed adapter`);
  const kind = sayKind(adapter, t`hardware`, t`software`);
  const commit = git_commit?.slice(0, SHORT) ?? t`unknown`, date = created.slice(0, 10);
  const kernels = kernels_sha256.slice(0, SHORT);
  const program = {
    short: t`commit ${commit}, ${date}`,
    long: t`kvbench ${kvbench}, commit ${commit}, kernels ${kernels}, Deno ${deno}, ${date}`,
  };
  const english = sayKind(adapter, "hardware");
  return {
    result,
    findings,
    name,
    kind,
    program,
    search: [name, kind, english, program.long, git_commit, os, arch, cpu.model].join(" "),
    check: {
      outcome: inWords(OUTCOMES[findings.selfCheck], t),
      closest: closest === null
        ? ""
        : t`off by ${error(closest.largest_error)}, tolerance ${error(closest.tolerance)}`,
    },
    figures: {
      cacheGain: sayEstimate(figures.cacheGain, "×"),
      pagingCost: sayMore(figures.pagingCost),
      tpotMs: sayEstimate(figures.tpotMs, "ms"),
      cacheBytes: sayBytes(figures),
    },
  };
}

/** Says an estimate with half of its interval, such as "3.20 ± 0.11 ×". */
function sayEstimate(estimate: Estimate | null, unit: string, format = formatSignificant): string {
  if (estimate === null) return "–";
  const { value, interval } = estimate;
  const text = format(value), decimals = text.split(".")[1]?.length ?? 0;
  const half = interval === null ? "" : ` ± ${((interval[1] - interval[0]) / 2).toFixed(decimals)}`;
  return `${text}${half} ${unit}`;
}

/** Says a share more or less in percent, such as "+0.4 ± 0.8 %". */
function sayMore(share: Estimate | null): string {
  if (share === null) return "–";
  const { value, interval } = share;
  const percent = { value: 100 * value, interval: interval && interval.map((end) => 100 * end) as Interval };
  return sayEstimate(percent, "%", (value) => {
    const text = Math.abs(value).toFixed(1);
    return Number(text) === 0 ? text : `${value < 0 ? "−" : "+"}${text}`;
  });
}

function sayBytes({ cacheBytes }: AdapterFigures): string {
  if (cacheBytes === null) return "–";
  return `${cacheBytes.value < 0 ? "−" : ""}${formatBytes(Math.abs(cacheBytes.value))}`;
}

/** Gives each row an anchor: adapter, graphics API and commit, and a number where that is not enough. */
function withAnchors(rows: readonly Omit<GalleryRow, "anchor">[]): GalleryRow[] {
  const given = new Map<string, number>();
  return rows.map((row) => {
    const { adapter, git_commit } = row.result.environment;
    const parts = [adapter.description || adapter.vendor, adapter.backend, git_commit?.slice(0, SHORT) ?? ""];
    const base = parts.join(" ").toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, "-").replaceAll(/^-|-$/g, "");
    const times = (given.get(base) ?? 0) + 1;
    given.set(base, times);
    return { ...row, anchor: times === 1 ? base : `${base}-${times}` };
  });
}

function sayCautions(rows: readonly Omit<GalleryRow, "anchor">[], t: Say): string[] {
  const software = rows.filter(({ result }) => result.environment.adapter.software).length;
  const kernels = new Set(rows.map(({ result }) => result.environment.kernels_sha256)).size;
  const naming = (which: (row: typeof rows[number]) => boolean, say: (names: string) => string) => {
    const names = rows.filter(which).map(({ name, kind }) => `${name} (${kind})`);
    return names.length === 0 ? [] : [say(names.join(t`; `))];
  };
  return [
    ...naming(
      ({ findings }) => findings.selfCheck === "wrong",
      (names) => t`${names}: the adapter computed wrong results, so that its times mean nothing.`,
    ),
    ...naming(
      ({ findings }) => findings.selfCheck === "not recorded",
      (names) => t`${names}: the result does not say whether the adapter computes right.`,
    ),
    ...naming(({ result }) => !result.complete, (names) => t`${names}: the result is not complete.`),
    ...naming(
      ({ findings: { figures: { tpotMs } } }) => tpotMs !== null && tpotMs.interval === null,
      (names) => t`${names}: too few runs for intervals.`,
    ),
    ...naming(
      ({ findings }) => findings.noisy,
      (names) => t`${names}: the machine was not quiet, so that times vary by more than the adapter's doing.`,
    ),
    ...software > 0
      ? [
        t`${software} of ${rows.length} adapters compute on the CPU. Such times and factors are not those of a GPU.`,
      ]
      : [],
    ...kernels > 1
      ? [
        t`The results are of ${kernels} different sets of kernels: a difference between rows may be the program's,
          not the adapter's.`,
      ]
      : [],
  ];
}
