/**
 * Charts of sweeps: the effect of one setting, with the others as in the overview.
 *
 * @module
 */
import type { Cell } from "../../measure/record/cell.ts";
import { overviewCells } from "../../measure/findings/overview.ts";
import type { BenchResult } from "../../measure/record/result.ts";
import { kvReserved } from "../kv_memory.ts";
import { sweptWith } from "../sweep_sentences.ts";
import { type Axis, axisFor, type LineFigure, type LineSeries } from "./figure.ts";
import { colourOf, lineOf } from "./strategy_line.ts";

/** Charts time per output token by prompt length. */
export function promptSweepFigure(result: BenchResult): LineFigure | undefined {
  const swept = sweptCells(result, "prompt_tokens").filter(({ cells }) =>
    cells.every(({ tpot_ms }) => tpot_ms !== null)
  );
  if (swept.length === 0) return undefined;
  const all = swept.flatMap(({ cells }) => cells);
  return {
    kind: "lines",
    id: "prompt-sweep",
    title: "Time per output token by prompt length",
    caption: "Medians with their 95 % intervals. On logarithmic axes, a line's slope is the exponent with " +
      "which a token's time grows.",
    x: sweptAxis("prompt (tokens)", all, "prompt_tokens"),
    y: axisFor(
      "TPOT (ms)",
      "ms",
      all.flatMap(({ tpot_ms }) => [tpot_ms!.median, ...tpot_ms!.median_ci ?? []]),
    ),
    series: swept.map(({ strategy, cells }): LineSeries => ({
      ...lineOf(strategy),
      points: cells.map(({ settings, tpot_ms }) => [settings.prompt_tokens, tpot_ms!.median]),
      intervals: cells.map(({ tpot_ms }) => tpot_ms!.median_ci),
      marks: "points",
    })),
    table: {
      head: ["strategy", "prompt (tokens)", "TPOT (ms)", "95 % from (ms)", "95 % to (ms)"],
      rows: all.map(({ strategy, settings, tpot_ms }) => [
        strategy,
        settings.prompt_tokens,
        tpot_ms!.median,
        tpot_ms!.median_ci?.[0] ?? null,
        tpot_ms!.median_ci?.[1] ?? null,
      ]),
    },
  };
}

/** Charts decode throughput by batch size. */
export function batchSweepFigure(result: BenchResult): LineFigure | undefined {
  const swept = sweptCells(result, "batch").filter(({ cells }) =>
    cells.every(({ decode_tokens_per_second: rate }) => rate !== null)
  );
  if (swept.length === 0) return undefined;
  const all = swept.flatMap(({ cells }) => cells);
  return {
    kind: "lines",
    id: "batch-sweep",
    title: "Decode throughput by batch size",
    caption:
      "Tokens per second over all sequences of a batch. With a cache, a step reads the weights once for the " +
      "whole batch.",
    x: sweptAxis("sequences", all, "batch"),
    y: axisFor("tokens/s", "tokens/s", all.map(({ decode_tokens_per_second: rate }) => rate!)),
    series: swept.map(({ strategy, cells }): LineSeries => ({
      ...lineOf(strategy),
      points: cells.map(({ settings, decode_tokens_per_second: rate }) => [settings.batch, rate!]),
      marks: "points",
    })),
    table: {
      head: ["strategy", "sequences", "tokens/s", "TPOT (ms)"],
      rows: all.map(({ strategy, settings, decode_tokens_per_second: rate, tpot_ms }) => [
        strategy,
        settings.batch,
        rate!,
        tpot_ms!.median,
      ]),
    },
  };
}

/** Charts the costs of a block size: unused K/V memory, and time per token. */
export function blockSweepFigure(result: BenchResult): LineFigure | undefined {
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
    title: "Block size: memory unused, and time per token",
    caption:
      "Left axis: the share of K/V memory that a strategy with blocks reserves and does not use, mean over the request. Right " +
      "axis: its time per output token, with 95 % intervals.",
    x: sweptAxis("tokens per block", cells, "block_size"),
    y: { title: "reserved K/V unused (%)", unit: "%", log: false, min: 0 },
    right: { title: "TPOT (ms)", unit: "ms", log: false, min: 0, max: 1.15 * latest },
    series: [
      {
        name: "unused (left)",
        colour: "waste",
        points: rows.map(({ size, unused }) => [size, unused]),
        marks: "points",
      },
      {
        name: "TPOT (right)",
        colour: colourOf(swept.strategy),
        points: rows.map(({ size, tpot }) => [size, tpot.median]),
        intervals: rows.map(({ tpot }) => tpot.median_ci),
        dashed: true,
        marks: "points",
        right: true,
      },
    ],
    table: {
      head: ["tokens per block", "unused (%)", "TPOT (ms)", "95 % from (ms)", "95 % to (ms)"],
      rows: rows.map(({ size, unused, tpot }) => [
        size,
        unused,
        tpot.median,
        tpot.median_ci?.[0] ?? null,
        tpot.median_ci?.[1] ?? null,
      ]),
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
