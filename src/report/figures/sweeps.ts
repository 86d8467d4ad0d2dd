/** Charts of sweeps: the effect of one setting, with the others as in the overview. */
import type { Interval } from "../../measure/statistics/bootstrap.ts";
import type { Cell } from "../../measure/record/cell.ts";
import { overviewCells } from "../../measure/findings/overview.ts";
import type { BenchResult } from "../../measure/record/result.ts";
import { inEnglish, type Say } from "../lang.ts";
import { kvReserved } from "../kv_memory.ts";
import { sweptWith } from "../sweep_sentences.ts";
import { type Axis, axisFor, type LineFigure, type LineSeries } from "./figure.ts";
import { colourOf, lineOf } from "./strategy_line.ts";

const intervalHead = (t: Say) => [t`95 % from (ms)`, t`95 % to (ms)`];

/** Charts time per output token by prompt length. */
export function promptSweepFigure(result: BenchResult, t: Say = inEnglish): LineFigure | undefined {
  return sweepFigure(result, t, "prompt_tokens", ({ tpot_ms }) => tpot_ms?.median, {
    id: "prompt-sweep",
    title: t`Time per output token by prompt length`,
    caption:
      t`Medians with their 95 % intervals. On logarithmic axes, a line's slope is the exponent with which a
        token's time grows.`,
    x: t`prompt (tokens)`,
    y: { title: t`TPOT (ms)`, unit: "ms" },
    intervalOf: ({ tpot_ms }) => tpot_ms!.median_ci,
  });
}

/** Charts decode throughput by batch size. */
export function batchSweepFigure(result: BenchResult, t: Say = inEnglish): LineFigure | undefined {
  return sweepFigure(result, t, "batch", (cell) => cell.decode_tokens_per_second ?? undefined, {
    id: "batch-sweep",
    title: t`Decode throughput by batch size`,
    caption:
      t`Tokens per second over all sequences of a batch. With a cache, a step reads the weights once for the
        whole batch.`,
    x: t`sequences`,
    y: { title: t`tokens/s`, unit: t`tokens/s` },
  });
}

/** Charts a figure of cells by one setting; undefined where a strategy was not swept or has no such figure. */
function sweepFigure(
  result: BenchResult,
  t: Say,
  key: Swept,
  valueOf: (cell: Cell) => number | undefined,
  { x, y, intervalOf = () => null, ...texts }: Pick<LineFigure, "id" | "title" | "caption"> & {
    readonly x: string;
    readonly y: Pick<Axis, "title" | "unit">;
    readonly intervalOf?: (cell: Cell) => Interval | null;
  },
): LineFigure | undefined {
  const swept = sweptCells(result, key).filter(({ cells }) =>
    cells.every((cell) => valueOf(cell) !== undefined)
  );
  if (swept.length === 0) return undefined;
  const all = swept.flatMap(({ cells }) => cells);
  const hasIntervals = all.some((cell) => intervalOf(cell) !== null);
  return {
    ...texts,
    kind: "lines",
    x: sweptAxis(x, all, key),
    y: axisFor(y.title, y.unit, all.flatMap((cell) => [valueOf(cell)!, ...intervalOf(cell) ?? []]), t),
    series: swept.map(({ strategy, cells }): LineSeries => ({
      ...lineOf(strategy),
      points: cells.map((cell) => [Number(cell.settings[key]), valueOf(cell)!]),
      ...(hasIntervals && { intervals: cells.map(intervalOf) }),
      marks: "points",
    })),
    table: {
      head: [t`strategy`, x, y.title, ...(hasIntervals ? intervalHead(t) : [])],
      rows: all.map((cell) => [
        cell.strategy,
        Number(cell.settings[key]),
        valueOf(cell)!,
        ...(hasIntervals ? intervalOf(cell) ?? [null, null] : []),
      ]),
    },
  };
}

/** Charts the costs of a block size: unused K/V memory, and time per token. */
export function blockSweepFigure(result: BenchResult, t: Say = inEnglish): LineFigure | undefined {
  const [swept] = sweptCells(result, "block_size");
  if (swept === undefined || swept.cells.some(({ tpot_ms }) => tpot_ms === null)) return undefined;
  const { cells } = swept;
  const rows = cells.map((cell) => {
    const { reserved, wasted } = kvReserved(cell);
    return { size: Number(cell.settings.block_size), unused: 100 * wasted / reserved, tpot: cell.tpot_ms! };
  });
  const latest = Math.max(...rows.map(({ tpot }) => tpot.median_ci?.[1] ?? tpot.median));
  return {
    kind: "lines",
    id: "block-size-sweep",
    title: t`Block size: memory unused, and time per token`,
    caption:
      t`Left axis: the share of reserved K/V memory that is unused, mean over the request. Right axis: time
        per output token, with 95 % intervals.`,
    x: sweptAxis(t`tokens per block`, cells, "block_size"),
    y: { title: t`reserved K/V unused (%)`, unit: "%", log: false, min: 0 },
    right: { title: t`TPOT (ms)`, unit: "ms", log: false, min: 0, max: 1.15 * latest },
    series: [
      {
        name: t`unused (left)`,
        colour: "waste",
        points: rows.map(({ size, unused }) => [size, unused]),
        marks: "points",
      },
      {
        name: t`TPOT (right)`,
        colour: colourOf(swept.strategy),
        points: rows.map(({ size, tpot }) => [size, tpot.median]),
        intervals: rows.map(({ tpot }) => tpot.median_ci),
        dashed: true,
        marks: "points",
        right: true,
      },
    ],
    table: {
      head: [t`tokens per block`, t`unused (%)`, t`TPOT (ms)`, ...intervalHead(t)],
      rows: rows.map((
        { size, unused, tpot },
      ) => [size, unused, tpot.median, ...tpot.median_ci ?? [null, null]]),
    },
  };
}

type Swept = "prompt_tokens" | "batch" | "block_size";

/** Returns, for each strategy in the overview, the cells that differ only in one setting, if there are several. */
function sweptCells(result: BenchResult, key: Swept): { strategy: Cell["strategy"]; cells: Cell[] }[] {
  return overviewCells(result)
    .map((cell) => ({ strategy: cell.strategy, cells: sweptWith(cell, result.cells, key) }))
    .filter(({ cells }) => cells.length > 1);
}

/** Makes a logarithmic axis on which each value of the setting is labelled. */
function sweptAxis(title: string, cells: readonly Cell[], key: Swept): Axis {
  const ticks = [...new Set(cells.map(({ settings }) => Number(settings[key])))].sort((a, b) => a - b);
  return { title, unit: "", log: true, min: ticks[0]! * 0.9, max: ticks.at(-1)! * 1.1, ticks };
}
