/**
 * The chart of a ladder: a waterfall of the time per token.
 *
 * @module
 */
import type { LadderResult } from "../../measure/ladder/ladder_result.ts";
import type { Lang } from "../lang.ts";
import { type LadderView, ladderView } from "../ladder/view.ts";
import { formatSignificant } from "../units.ts";
import type { BarFigure } from "./figure.ts";

/** Returns the chart of a result, in a language. */
export function ladderFigure(result: LadderResult, lang: Lang = "en"): BarFigure {
  return figureOfView(ladderView(result, lang));
}

/** Returns the chart of a view. */
function figureOfView({ words, rungs }: LadderView): BarFigure {
  const { chart, columns, interval } = words;
  const times = rungs.map(({ ms }) => ms), before = (i: number) => times[i - 1] ?? times[i]!;
  const lost = times.map((ms, i) => Math.max(0, ms - before(i)));
  const ends = rungs.map(({ ms, interval }) => interval?.[1] ?? ms);
  return {
    id: "ladder",
    title: chart.title,
    caption: chart.caption,
    kind: "bars",
    categories: rungs.map(({ label, gain }) => gain === "" ? label : [label, gain]),
    x: { title: chart.axis, unit: "ms", log: false, min: 0, max: Math.max(...times, ...ends) },
    stacked: true,
    series: [
      {
        name: chart.time,
        colour: "here",
        values: times.map((ms, i) => Math.min(ms, before(i))),
        intervals: rungs.map((rung) => rung.interval),
      },
      { name: chart.gained, colour: "gained", values: times.map((ms, i) => Math.max(0, before(i) - ms)) },
      ...lost.some((ms) => ms > 0) ? [{ name: chart.lost, colour: "lost", values: lost } as const] : [],
    ],
    ends: times.map((ms) => `${formatSignificant(ms)} ms`),
    table: {
      head: [
        columns.rung,
        columns.changes,
        columns.msPerToken,
        ...interval,
        columns.factor,
        ...interval,
        `${columns.peak}, MiB`,
        columns.published,
        columns.publishedPeak,
      ],
      rows: rungs.map(({ label, changes, ms, interval, factor, rung, published }) => [
        label,
        changes,
        ms,
        ...interval ?? [null, null],
        factor?.ratio ?? null,
        ...factor?.interval ?? [null, null],
        rung.peak_bytes.total / 2 ** 20,
        published?.msPerToken ?? null,
        published?.peakMb ?? null,
      ]),
    },
  };
}
