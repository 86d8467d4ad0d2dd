/** The picture of results of many adapters. */
import type { Estimate } from "../../measure/findings/adapters.ts";
import type { DotFigure } from "../figures/figure.ts";
import { colourOf } from "../figures/strategy_line.ts";
import { formatSignificant } from "../units.ts";
import type { GalleryView } from "./view.ts";

/** Charts the gain of the cache and the speed with paging as factors, a row an adapter. */
export function galleryFigure({ t, titles, strategies, rows }: GalleryView): DotFigure {
  const { none, cache, sharing } = strategies;
  const gains = rows.map(({ findings }) => findings.figures.cacheGain);
  const speeds = rows.map(({ findings }) => speedOf(findings.figures.pagingCost));
  const ends = [...gains, ...speeds].flatMap((each) => each ? [each.value, ...each.interval ?? []] : []);
  const [low, high] = [Math.min(1, ...ends), Math.max(1, ...ends)];
  const numbers = (
    each: Estimate | null | undefined,
  ) => [each?.value ?? null, ...each?.interval ?? [null, null]];
  const [gain, speed] = [t`${cache} over ${none}`, t`${sharing} over ${cache}`],
    interval = [t`95 % from`, t`95 % to`];
  return {
    id: "adapters",
    title: t`What a cache buys, and what paging costs`,
    caption:
      t`A dot is the ratio of two medians on one adapter, its line the 95 % interval. Right of 1, the first one is
      faster.`,
    kind: "dots",
    categories: rows.map(({ name, kind, program }) => [name, `${kind}, ${program.short}`]),
    x: { title: t`decode speed, ×, log scale`, unit: "×", log: true, min: low / 1.15, max: high * 1.15 },
    rule: 1,
    series: [
      { name: gain, colour: colourOf(cache), ...points(gains) },
      { name: speed, colour: colourOf(sharing), ...points(speeds) },
    ],
    table: {
      head: [titles.adapter, gain, ...interval, speed, ...interval],
      rows: rows.map(({ name }, i) => [name, ...numbers(gains[i]), ...numbers(speeds[i])]),
    },
  };
}

function points(estimates: readonly (Estimate | null)[]) {
  return {
    values: estimates.map((each) => each?.value ?? null),
    intervals: estimates.map((each) => each?.interval ?? null),
    labels: estimates.map((each) => each === null ? "" : `${formatSignificant(each.value)} ×`),
  };
}

/** Turns a share of more time into a factor of speed. */
function speedOf(cost: Estimate | null): Estimate | null {
  if (cost === null) return null;
  const speed = (share: number) => 1 / (1 + share);
  return {
    value: speed(cost.value),
    interval: cost.interval && [speed(cost.interval[1]), speed(cost.interval[0])],
  };
}
