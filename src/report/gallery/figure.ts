/**
 * The picture of results of many adapters.
 *
 * @module
 */
import type { Estimate } from "../../measure/findings/adapters.ts";
import type { DotFigure } from "../figures/figure.ts";
import { colourOf } from "../figures/strategy_line.ts";
import { formatSignificant } from "../units.ts";
import type { GalleryView } from "./view.ts";

/** Charts the gain of the cache and the speed with paging as factors, a row an adapter. */
export function galleryFigure({ words: { chart, columns }, strategies, rows }: GalleryView): DotFigure {
  const { none, cache, sharing } = strategies;
  const gains = rows.map(({ findings }) => findings.figures.cacheGain);
  const speeds = rows.map(({ findings }) => speedOf(findings.figures.pagingCost));
  const ends = [...gains, ...speeds].flatMap((each) => each ? [each.value, ...each.interval ?? []] : []);
  const [low, high] = [Math.min(1, ...ends), Math.max(1, ...ends)];
  const numbers = (
    each: Estimate | null | undefined,
  ) => [each?.value ?? null, ...each?.interval ?? [null, null]];
  const titles = [chart.gain(none, cache), chart.speed(cache, sharing)] as const;
  return {
    id: "adapters",
    title: chart.title,
    caption: chart.caption,
    kind: "dots",
    categories: rows.map(({ name, kind, program }) => [name, `${kind}, ${program.short}`]),
    x: { title: chart.axis, unit: "×", log: true, min: low / 1.15, max: high * 1.15 },
    rule: 1,
    series: [
      { name: titles[0], colour: colourOf(cache), ...points(gains) },
      { name: titles[1], colour: colourOf(sharing), ...points(speeds) },
    ],
    table: {
      head: [columns.adapter, titles[0], ...chart.interval, titles[1], ...chart.interval],
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
