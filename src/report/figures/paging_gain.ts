/** Chart of what paging is for: sequences that run at once in the same K/V memory. */
import type { BenchResult } from "../../measure/record/result.ts";
import { inEnglish, type Say } from "../lang.ts";
import { formatCount, formatSignificant } from "../units.ts";
import type { BarFigure } from "./figure.ts";
import { colourOf } from "./strategy_line.ts";

/** Charts the sequences of both kinds of memory, where they were simulated. */
export function pagingGainFigure({ sequences }: BenchResult, t: Say = inEnglish): BarFigure | undefined {
  if (sequences === null) return undefined;
  const { regions, blocks, requests, lengths, budget_tokens: tokens } = sequences;
  const memories = [regions, blocks];
  return {
    kind: "bars",
    id: "sequences-at-once",
    title: t`Sequences that run at once`,
    caption: t`${
      formatCount(requests)
    } requests with lengths like those of ${lengths}, all at once, in the same K/V memory for ${
      formatCount(tokens)
    } tokens; mean over time. Scheduler and allocators are the real ones, time is modelled.`,
    categories: [""],
    x: {
      title: t`sequences`,
      unit: t`sequences`,
      log: false,
      min: 0,
      max: Math.max(...memories.map(({ mean }) => mean)),
    },
    series: memories.map(({ strategy, mean }) => ({
      name: strategy,
      colour: colourOf(strategy),
      values: [mean],
      labels: [formatSignificant(mean)],
    })),
    stacked: false,
    table: {
      head: [t`strategy`, t`sequences, mean over time`],
      rows: memories.map(({ strategy, mean }) => [strategy, mean]),
    },
  };
}
