/** The chart of a ladder: a waterfall of the time per token. */
import type { LadderResult } from "../../measure/ladder/ladder_result.ts";
import { inEnglish, type Say } from "../lang.ts";
import { ladderView } from "../ladder/view.ts";
import { formatSignificant } from "../units.ts";
import type { BarFigure } from "./figure.ts";

/** Returns the chart of a result. */
export function ladderFigure(result: LadderResult, t: Say = inEnglish): BarFigure {
  const { titles, rungs } = ladderView(result, t);
  const interval = [t`95 % from`, t`95 % to`];
  const times = rungs.map(({ ms }) => ms), before = (i: number) => times[i - 1] ?? times[i]!;
  const lost = times.map((ms, i) => Math.max(0, ms - before(i)));
  const ends = rungs.map(({ ms, interval }) => interval?.[1] ?? ms);
  return {
    id: "ladder",
    title: t`Time per token, rung by rung`,
    caption:
      t`Each bar is a rung's time per token, with its 95 % interval; the pale part is what the rung gains over the
        one before it. Factors are from turns of the two rungs, with their 95 % intervals.`,
    kind: "bars",
    categories: rungs.map(({ label, gain }) => gain === "" ? label : [label, gain]),
    x: { title: titles.msPerToken, unit: "ms", log: false, min: 0, max: Math.max(...times, ...ends) },
    stacked: true,
    series: [
      {
        name: t`time per token`,
        colour: "here",
        values: times.map((ms, i) => Math.min(ms, before(i))),
        intervals: rungs.map((rung) => rung.interval),
      },
      {
        name: t`gained over the rung before`,
        colour: "gained",
        values: times.map((ms, i) => Math.max(0, before(i) - ms)),
      },
      ...lost.some((ms) => ms > 0)
        ? [{ name: t`lost against the rung before`, colour: "lost", values: lost } as const]
        : [],
    ],
    ends: times.map((ms) => `${formatSignificant(ms)} ms`),
    table: {
      head: [
        titles.rung,
        titles.changes,
        titles.msPerToken,
        ...interval,
        titles.factor,
        ...interval,
        t`peak, MiB`,
        titles.published,
        titles.publishedPeak,
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
