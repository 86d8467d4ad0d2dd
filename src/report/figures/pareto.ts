/**
 * Charts of quality against its price: K/V memory and time per token, each strategy and type of K and V as one dot, and
 * the frontier that nothing beats.
 */
import { isExactKv } from "../../formats/kv_dtype.ts";
import { formatOf } from "../../formats/registry.ts";
import { findStrategy } from "../../kv/registry.ts";
import { frontierOf } from "../../measure/findings/pareto.ts";
import { qualityOf } from "../../measure/quality/bench_quality.ts";
import type { DivergenceSummary } from "../../measure/quality/divergence_summary.ts";
import type { QualityResult } from "../../measure/quality/quality_result.ts";
import { contextTokens } from "../../measure/quality/scored_cell.ts";
import type { Settings } from "../../measure/record/cell.ts";
import type { BenchResult } from "../../measure/record/result.ts";
import { inEnglish, type Say } from "../lang.ts";
import { optionKeys, saySettings, varyingSettings, WORK_KEYS } from "../labels.ts";
import { axisFor, type FigureTable, type LineFigure, type LineSeries } from "./figure.ts";
import { lineOf } from "./strategy_line.ts";

/** Divergences below this are drawn on the lower edge. */
const LEAST_KLD = 1e-7;

/** A cell with its price and its quality. */
interface Dot {
  readonly strategy: string;
  readonly settings: Settings;
  /** K/V bytes at the end over the tokens of the context. */
  readonly bytesPerToken: number;
  /** Undefined where nothing is rounded or forgotten. */
  readonly divergence: DivergenceSummary | undefined;
  /** Null where it was not measured. */
  readonly tpotMs: number | null;
}

/** Charts the cells of a benchmark with the longest context; none where all are exact. */
export function benchParetoFigures(result: BenchResult, t: Say = inEnglish): LineFigure[] {
  const { cells, quality, model } = result;
  if (quality.length === 0 || cells.length === 0) return [];
  const longest = cells.reduce((a, b) => contextTokens(b) > contextTokens(a) ? b : a);
  const dots = cells.filter(({ settings }) => isSameWork(settings, longest.settings))
    .flatMap((cell): Dot[] => {
      const divergence = qualityOf(quality, cell)?.divergence;
      const exact = findStrategy(cell.strategy)?.traits.exact && isExactKv(cell.settings.kv_dtype) &&
        formatOf(model.weights_dtype).exact;
      if (divergence === undefined && !exact) return [];
      const bytesPerToken = cell.memory.kv_used_bytes / cell.settings.batch / contextTokens(cell);
      return [{ ...cell, bytesPerToken, divergence, tpotMs: cell.tpot_ms?.median ?? null }];
    });
  return paretoFigures(dots, t);
}

/** Charts the cells of a quality record, which has no times. */
export function qualityFigures({ cells }: QualityResult, t: Say = inEnglish): LineFigure[] {
  return paretoFigures(
    cells.map((cell) => ({ ...cell, bytesPerToken: cell.kv_bytes / contextTokens(cell), tpotMs: null })),
    t,
  );
}

function isSameWork(a: Settings, b: Settings): boolean {
  return a.prompt_tokens === b.prompt_tokens && a.new_tokens === b.new_tokens && a.batch === b.batch;
}

function paretoFigures(all: readonly Dot[], t: Say): LineFigure[] {
  // What keeps nothing has no cache to trade.
  const dots = all.filter(({ strategy }) => findStrategy(strategy)?.traits.keeps !== "nothing");
  const context = dots[0] === undefined ? 0 : contextTokens(dots[0]) + 1;
  const timed = dots.filter(({ tpotMs }) => tpotMs !== null);
  const read =
    t`Less is better on both axes, so that the best dots are on the lower left; the line joins those that no
      other one beats. Dots on the lower edge differ from full float32 by less than ${LEAST_KLD} nats.
      Where a dot has no room for its name, the table has it.`;
  return [
    paretoFigure(dots, t, ({ bytesPerToken }) => bytesPerToken, {
      id: "pareto-memory",
      title: t`Quality against K/V memory, at a context of ${context} tokens`,
      caption:
        t`Mean KL divergence per token from full float32, and the K/V bytes of a sequence over its tokens.
          ${read}`,
      x: { title: t`K/V bytes per token of context`, unit: "B" },
    }, timed.length > 0),
    ...(timed.length > 0
      ? [paretoFigure(timed, t, ({ tpotMs }) => tpotMs!, {
        id: "pareto-time",
        title: t`Quality against time per token, at a context of ${context} tokens`,
        caption:
          t`Mean KL divergence per token from full float32, and the median time per output token. ${read}`,
        x: { title: t`TPOT (ms)`, unit: "ms" },
      }, true)]
      : []),
  ];
}

function paretoFigure(
  dots: readonly Dot[],
  t: Say,
  costOf: (dot: Dot) => number,
  { x, ...texts }: Pick<LineFigure, "id" | "title" | "caption"> & {
    readonly x: { title: string; unit: string };
  },
  hasTimes: boolean,
): LineFigure {
  const frontier = frontierOf(dots, (dot) => [costOf(dot), shownKld(dot)]);
  const label = labeller(dots);
  const point = (dot: Dot): [number, number] => [costOf(dot), shownKld(dot)];
  const series = [...Map.groupBy(dots, ({ strategy }) => strategy)].map(([strategy, own]): LineSeries => ({
    ...lineOf(strategy),
    dashed: false,
    points: own.map(point),
    labels: own.map((dot) => frontier.includes(dot) ? "" : label(dot)),
    marks: "only points",
  }));
  const largest = Math.max(...dots.map(shownKld));
  return {
    kind: "lines",
    ...texts,
    x: axisFor(x.title, x.unit, dots.map(costOf), t),
    y: {
      title: t`mean KL divergence (nats), log scale`,
      unit: t`nats`,
      log: true,
      min: LEAST_KLD,
      max: Math.max(2 * largest, 10 * LEAST_KLD),
    },
    series: [
      {
        name: t`frontier`,
        colour: "roof",
        points: frontier.map(point),
        labels: frontier.map(label),
        marks: "none",
        dashed: true,
      },
      ...series,
    ],
    table: tableOf(dots, frontier, hasTimes, t),
  };
}

function kldOf({ divergence }: Dot): number {
  return divergence?.kld.mean.value ?? 0;
}

function shownKld(dot: Dot): number {
  return Math.max(LEAST_KLD, kldOf(dot));
}

/** Says a dot in a few letters: the type of K and V, and the options that vary. */
function labeller(dots: readonly Dot[]): (dot: Dot) => string {
  const varying = varyingSettings(dots).filter((key) => !WORK_KEYS.includes(key));
  return ({ settings }) => {
    const values = varying.flatMap((key) => settings[key] ?? []);
    return [settings.kv_dtype, values.join("+")].join(" ").trim();
  };
}

function tableOf(dots: readonly Dot[], frontier: readonly Dot[], hasTimes: boolean, t: Say): FigureTable {
  return {
    head: [
      t`strategy`,
      t`options`,
      t`K/V type`,
      t`K/V (B/token)`,
      ...(hasTimes ? ["TPOT (ms)"] : []),
      t`mean KLD (nats)`,
      t`standard error`,
      t`99th percentile`,
      t`same top token (%)`,
      t`perplexity ratio`,
      t`on the frontier`,
    ],
    rows: dots.map((dot) => {
      const { strategy, settings, bytesPerToken, divergence, tpotMs } = dot;
      return [
        strategy,
        saySettings(settings, optionKeys([dot]), t),
        settings.kv_dtype,
        Math.round(bytesPerToken),
        ...(hasTimes ? [tpotMs] : []),
        kldOf(dot),
        divergence?.kld.mean.error ?? null,
        divergence?.kld.p99 ?? null,
        divergence ? 100 * divergence.same_top.value : 100,
        divergence?.perplexity_ratio.value ?? 1,
        frontier.includes(dot) ? t`yes` : t`no`,
      ];
    }),
  };
}
