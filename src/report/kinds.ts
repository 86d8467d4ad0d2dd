/**
 * The kinds of results that have a report: how each is read, and what shows it. Terminal, page and charts ask here, so
 * that a new kind is one entry.
 */
import { LOAD_KIND, type LoadResult, parseLoad } from "../load/load_result.ts";
import { LADDER_KIND, type LadderResult, parseLadder } from "../measure/ladder/ladder_result.ts";
import { parseProfile, PROFILE_KIND, type ProfileResult } from "../measure/profile/profile_result.ts";
import { parseQuality, QUALITY_KIND, type QualityResult } from "../measure/quality/quality_result.ts";
import { areOfOnePlan } from "../measure/record/one_plan.ts";
import { kindOf } from "../measure/record/record.ts";
import { BENCH_KIND, type BenchResult, parseResult } from "../measure/record/result.ts";
import { PAPER_KIND, type PaperResult, parsePaper } from "../simulate/paper/paper_result.ts";
import { parseServing, SERVING_KIND, type ServingResult } from "../simulate/serving_result.ts";
import { figuresOf } from "./figures/all.ts";
import type { Figure } from "./figures/figure.ts";
import { ladderFigure } from "./figures/ladder.ts";
import { loadFigures } from "./figures/load.ts";
import { paperFigures } from "./figures/paper.ts";
import { qualityFigures } from "./figures/pareto.ts";
import { rooflineFigure } from "./figures/roofline.ts";
import { servingFigures } from "./figures/serving.ts";
import { formatResults } from "./formats.ts";
import { galleryFigure } from "./gallery/figure.ts";
import { galleryTable } from "./gallery/table.ts";
import { galleryView } from "./gallery/view.ts";
import type { Lang } from "./lang.ts";
import { ladderTable } from "./ladder/table.ts";
import { loadTable } from "./load_table.ts";
import { galleryBody, galleryDetails } from "./page/gallery_section.ts";
import type { Html } from "./page/html.ts";
import { ladderSection } from "./page/ladder_section.ts";
import {
  benchSection,
  loadSection,
  loadsSection,
  paperSection,
  type Placed,
  profileSection,
  type Section,
  servingSection,
} from "./page/sections.ts";
import { paperTable } from "./paper_table.ts";
import { profileTable } from "./profile_table.ts";
import { qualitySection } from "./page/quality_section.ts";
import { qualityTable } from "./quality_table.ts";
import { sayIn } from "./say.ts";
import { servingTable } from "./serving_table.ts";

/** Results that have a report. */
export type Reportable =
  | BenchResult
  | QualityResult
  | LadderResult
  | ProfileResult
  | PaperResult
  | ServingResult
  | LoadResult;

/** Reader and views of one kind of result. */
interface ReportKind<R> {
  /** Checks what a file holds. */
  readonly parse: (json: unknown, source: string) => R;
  /** True if the terminal's form has words in every language. Default: it has English ones; the page has all. */
  readonly tableSpeaks?: true;
  /** Shows it on a terminal. */
  readonly table: (result: R, options: { readonly wide: boolean; readonly lang: Lang }) => string;
  /** Draws it. */
  readonly figures: (result: R, lang: Lang) => readonly Figure[];
  /** Makes its part of the page around its charts. */
  readonly section: (
    result: R,
    figures: readonly Figure[],
    placed: Placed,
  ) => Omit<Section, "figures">;
  /** Sets several results side by side. Default: each stands alone. */
  readonly together?: (results: readonly R[], lang: Lang) => Together<R> | undefined;
}

/** Several results of a kind side by side. */
interface Together<R> {
  /** Part of the page, before the results. */
  readonly section: Section;
  /** Pictures. */
  readonly figures: readonly Figure[];
  /** Report in the terminal, before the results. Default: none. */
  readonly table?: string;
  /** Puts the results' own parts of the page together. Default: one after the other. */
  readonly arrange?: (bodyOf: (result: R) => Html) => Html;
}

const KINDS: { readonly [K in Reportable["kind"]]: ReportKind<Extract<Reportable, { readonly kind: K }>> } = {
  [BENCH_KIND.kind]: {
    parse: parseResult,
    table: (result, { wide }) => formatResults([result], "table", wide),
    figures: (result, lang) => figuresOf(result, sayIn(lang)),
    section: benchSection,
    together: benchesTogether,
  },
  [LADDER_KIND.kind]: {
    parse: parseLadder,
    tableSpeaks: true,
    table: (result, { lang }) => ladderTable(result, lang),
    figures: (result, lang) => [ladderFigure(result, sayIn(lang))],
    section: ladderSection,
  },
  [PROFILE_KIND.kind]: {
    parse: parseProfile,
    table: profileTable,
    figures: (result, lang) => [rooflineFigure(result, sayIn(lang))],
    section: profileSection,
  },
  [QUALITY_KIND.kind]: {
    parse: parseQuality,
    table: qualityTable,
    figures: (result, lang) => qualityFigures(result, sayIn(lang)),
    section: qualitySection,
  },
  [PAPER_KIND.kind]: {
    parse: parsePaper,
    table: paperTable,
    figures: (result, lang) => paperFigures(result, sayIn(lang)),
    section: paperSection,
  },
  [SERVING_KIND.kind]: {
    parse: parseServing,
    table: servingTable,
    figures: (result, lang) => servingFigures(result, sayIn(lang)),
    section: servingSection,
  },
  [LOAD_KIND.kind]: {
    parse: parseLoad,
    table: loadTable,
    figures: (result, lang) => loadFigures(result, sayIn(lang)),
    section: loadSection,
    together: (results, lang) => {
      const section = loadsSection(results, lang);
      return { section, figures: section.figures };
    },
  },
};

/** Returns what shows a result. */
export function kindFor<R extends Reportable>(result: R): ReportKind<R> {
  return KINDS[result.kind] as unknown as ReportKind<R>; // the compiler does not see that the key is the result's own
}

/** Sets several results of a kind side by side, for each kind that does so. */
export function allTogether(
  results: readonly Reportable[],
  lang: Lang,
): (Together<Reportable> & { readonly results: readonly Reportable[] })[] {
  return Object.values(Object.groupBy(results, ({ kind }) => kind)).flatMap((alike) => {
    const together = alike.length > 1 ? kindFor(alike[0]!).together?.(alike, lang) : undefined;
    return together === undefined ? [] : [{ ...together, results: alike }];
  });
}

/** Makes rows of results of one plan and model; others stand alone. */
function benchesTogether(results: readonly BenchResult[], lang: Lang): Together<BenchResult> | undefined {
  const measured = results.every(({ cells }) => cells.length > 0);
  if (!measured || !areOfOnePlan(results)) return undefined;
  const view = galleryView(results, lang);
  return {
    section: { title: view.title, body: galleryBody(view), figures: [] },
    figures: [galleryFigure(view)],
    table: galleryTable(view),
    arrange: (bodyOf) => galleryDetails(view, ({ result }) => bodyOf(result)),
  };
}

/**
 * Reads a result of any kind that has a report.
 *
 * @throws {KvbenchError} If it is no such result.
 */
export function parseReportable(json: unknown, source: string): Reportable {
  const kind = kindOf(json);
  const { parse } = kind !== null && kind in KINDS
    ? KINDS[kind as keyof typeof KINDS]
    : KINDS[BENCH_KIND.kind];
  return parse(json, source);
}
