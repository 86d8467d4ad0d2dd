/**
 * Results of many adapters in words: computed once, shown on the page, in the terminal and in pictures.
 *
 * @module
 */
import {
  type AdapterFigures,
  type AdapterFindings,
  adapterFindings,
  type Estimate,
} from "../../measure/findings/adapters.ts";
import { isOf, type Kind } from "../../measure/findings/claims.ts";
import { overviewCells } from "../../measure/findings/overview.ts";
import type { Interval } from "../../measure/statistics/bootstrap.ts";
import type { BenchResult } from "../../measure/record/result.ts";
import { sayKind } from "../adapter_kind.ts";

import { wordsIn } from "../ladder/lang.ts";
import type { Lang } from "../lang.ts";
import type { LadderWords } from "../ladder/words.ts";
import { formatBytes, formatSignificant } from "../units.ts";
import { error } from "../selftest_table.ts";
import { oneLine } from "../wrap.ts";
import { CHINESE } from "./chinese.ts";
import { ENGLISH } from "./english.ts";
import type { FigureName, GalleryWords } from "./words.ts";

const WORDS: Readonly<Record<Lang, GalleryWords>> = { en: ENGLISH, zh: CHINESE };

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

/** A result as a row. */
export interface GalleryRow {
  readonly result: BenchResult;
  readonly findings: AdapterFindings;
  /** A name that no other row has, in lower case with hyphens. */
  readonly anchor: string;
  readonly name: string;
  /** Hardware or software, and its graphics API. */
  readonly kind: string;
  readonly program: { readonly short: string; readonly long: string };
  /** Everything that a filter looks at. */
  readonly search: string;
  /** Outcome of the self-check, and how close the worst check came to its tolerance. */
  readonly check: { readonly outcome: string; readonly closest: string };
  readonly figures: Readonly<Record<FigureName, string>>;
}

/** Results of one plan. */
export interface GalleryView {
  readonly words: GalleryWords;
  /** Words of claims and verdicts. */
  readonly claimWords: LadderWords;
  readonly title: string;
  readonly heading: string;
  /** Titles of the figures. */
  readonly titles: Readonly<Record<FigureName, string>>;
  /** Strategies that the figures are of. */
  readonly strategies: Readonly<Record<"none" | "cache" | "sharing", string>>;
  /** Rows, the one with the shortest time per token first. */
  readonly rows: readonly GalleryRow[];
  readonly cautions: readonly string[];
}

/** Computes the view of results of one plan and model, in each of which something is measured. */
export function galleryView(results: readonly BenchResult[], lang: Lang): GalleryView {
  const words = WORDS[lang];
  const cells = results.flatMap((result) => overviewCells(result));
  const { prompt_tokens: promptTokens, new_tokens: newTokens, batch } = cells[0]!.settings;
  const nameOf = (kind: Kind) => cells.find(({ strategy }) => isOf(kind, strategy))?.strategy ?? "–";
  const strategies = { none: nameOf("none"), cache: nameOf("cache"), sharing: nameOf("sharing") };
  const rows = results.map((result) => rowOf(result, words)).sort((a, b) => timeOf(a) - timeOf(b));
  return {
    words,
    claimWords: wordsIn(lang),
    title: words.title(results.length),
    heading: words.heading({ model: oneLine(results[0]!.model.name), promptTokens, newTokens, batch }),
    titles: words.figures(strategies),
    strategies,
    rows: withAnchors(rows),
    cautions: sayCautions(rows, words),
  };
}

function timeOf({ findings: { figures: { tpotMs } } }: Pick<GalleryRow, "findings">): number {
  return tpotMs?.value ?? Infinity;
}

function rowOf(result: BenchResult, words: GalleryWords): Omit<GalleryRow, "anchor"> {
  const { environment: { adapter, ...environment }, created } = result;
  const findings = adapterFindings(result), { closest, figures } = findings;
  const name = oneLine(adapter.description || adapter.vendor || "–");
  const kind = sayKind(adapter, words.hardware, words.software);
  const program = words.program({
    version: environment.kvbench,
    commit: environment.git_commit?.slice(0, SHORT) ?? words.noCommit,
    kernels: environment.kernels_sha256.slice(0, SHORT),
    deno: environment.deno,
    date: created.slice(0, 10),
  });
  const english = sayKind(adapter, ENGLISH.hardware, ENGLISH.software);
  const { git_commit, os, arch, cpu } = environment;
  return {
    result,
    findings,
    name,
    kind,
    program,
    search: [name, kind, english, program.long, git_commit, os, arch, cpu.model].join(" "),
    check: {
      outcome: words.outcomes[findings.selfCheck],
      closest: closest === null ? "" : words.closest(error(closest.largest_error), error(closest.tolerance)),
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

function sayCautions(rows: readonly Omit<GalleryRow, "anchor">[], words: GalleryWords): string[] {
  const software = rows.filter(({ result }) => result.environment.adapter.software).length;
  const kernels = new Set(rows.map(({ result }) => result.environment.kernels_sha256)).size;
  const naming = (say: (names: string) => string, which: (row: typeof rows[number]) => boolean) => {
    const names = rows.filter(which).map(({ name, kind }) => `${name} (${kind})`);
    return names.length === 0 ? [] : [say(names.join(words.and))];
  };
  return [
    ...naming(words.wrong, ({ findings }) => findings.selfCheck === "wrong"),
    ...naming(words.unchecked, ({ findings }) => findings.selfCheck === "not recorded"),
    ...naming(words.incomplete, ({ result }) => !result.complete),
    ...naming(words.noisy, ({ findings }) => findings.noisy),
    ...software > 0 ? [words.onCpu(software, rows.length)] : [],
    ...kernels > 1 ? [words.kernelsDiffer(kernels)] : [],
  ];
}
