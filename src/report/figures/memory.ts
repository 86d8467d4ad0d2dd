/** Charts of GPU memory: its peak by category, its course over a request, and the use of K/V memory. */
import { overviewCells } from "../../measure/findings/overview.ts";
import type { BenchResult } from "../../measure/record/result.ts";
import { inEnglish, inWords, type Say } from "../lang.ts";
import { KV_PART_NAMES, KV_PARTS, kvMeans } from "../kv_memory.ts";
import { byteUnit, formatBytes, formatPercent } from "../units.ts";
import type { BarFigure, BarSeries, LineFigure } from "./figure.ts";
import { colourOf, lineOf } from "./strategy_line.ts";

const CATEGORIES = [
  { key: "weights", label: inEnglish`weights` },
  { key: "activations", label: inEnglish`activations` },
  { key: "kv", label: "K/V" },
  { key: "tables", label: inEnglish`tables` },
  { key: "staging", label: inEnglish`staging` },
] as const;

/**
 * Charts the peak of GPU memory by category, with or without the weights, which hide the rest. Categories may peak at
 * different times, so that a bar can be longer than the total that is written at its end.
 */
export function peakFigure(result: BenchResult, weights: "with" | "without", t: Say = inEnglish): BarFigure {
  const cells = overviewCells(result);
  const categories = CATEGORIES.filter(({ key }) => weights === "with" || key !== "weights");
  const totals = cells.map(({ memory: { peak_bytes: peak } }) =>
    weights === "with" ? peak.total : categories.reduce((sum, { key }) => sum + peak[key], 0)
  );
  return {
    ...stackedBytes(
      categories.map(({ key, label }) => ({
        name: inWords(label, t),
        colour: key,
        bytes: cells.map(({ memory }) => memory.peak_bytes[key]),
      })),
      totals.map(formatBytes),
    ),
    id: weights === "with" ? "peak-memory" : "peak-memory-without-weights",
    title: weights === "with" ? t`Peak GPU memory` : t`Peak GPU memory without weights`,
    caption: t`Peak bytes of GPU buffers by category, as the ledger counts them.`,
    categories: cells.map(({ strategy }) => strategy),
    categoryColours: cells.map(({ strategy }) => colourOf(strategy)),
    table: {
      head: [
        t`strategy`,
        t`total (bytes)`,
        ...categories.map(({ label }) => t`${inWords(label, t)} (bytes)`),
      ],
      rows: cells.map(({ strategy, memory: { peak_bytes } }, i) => [
        strategy,
        totals[i]!,
        ...categories.map(({ key }) => peak_bytes[key]),
      ]),
    },
  };
}

/** Charts the use of K/V memory, mean over the request: used, wasted by cause, or free for other requests. */
export function kvFigure(result: BenchResult, t: Say = inEnglish): BarFigure {
  const cells = overviewCells(result);
  const means = cells.map(kvMeans);
  const reserved = means.map(({ used, later, internal }) => used + later + internal);
  const totals = means.map((each) => KV_PARTS.reduce((sum, part) => sum + each[part], 0));
  return {
    ...stackedBytes(
      KV_PARTS.map((part) => ({
        name: inWords(KV_PART_NAMES[part], t),
        colour: part,
        bytes: means.map((each) => each[part]),
      })),
      totals.map((total, i) =>
        reserved[i] === total ? formatBytes(total) : t`${formatBytes(reserved[i]!)} of ${formatBytes(total)}`
      ),
    ),
    id: "kv-memory",
    title: t`K/V memory, mean over the request`,
    caption:
      t`Memory reserved for this request, by use: for tokens that are stored, for later tokens, and lost to
        internal or external fragmentation. The rest of the pool is free for other requests.`,
    categories: cells.map(({ strategy }, i) => [
      strategy,
      t`${formatPercent(means[i]!.used, reserved[i]!)} used`,
    ]),
    categoryColours: cells.map(({ strategy }) => colourOf(strategy)),
    table: {
      head: [
        t`strategy`,
        t`reserved (bytes)`,
        ...KV_PARTS.map((part) => t`${inWords(KV_PART_NAMES[part], t)} (bytes)`),
      ],
      rows: cells.map(({ strategy }, i) => [
        strategy,
        Math.round(reserved[i]!),
        ...KV_PARTS.map((part) => Math.round(means[i]![part])),
      ]),
    },
  };
}

/** Charts GPU memory after each new token, without the weights. */
export function timelineFigure(result: BenchResult, t: Say = inEnglish): LineFigure {
  const cells = overviewCells(result);
  const bytes = cells.map(({ memory: { timeline, peak_bytes } }) =>
    timeline.total_bytes.map((total) => total - peak_bytes.weights)
  );
  const largest = Math.max(...bytes.flat(), 1);
  const unit = byteUnit(largest);
  return {
    kind: "lines",
    id: "memory-timeline",
    title: t`GPU memory over the request, without weights`,
    caption: t`Bytes of GPU buffers after each new token, without the weights, which are the same for all.`,
    x: { title: t`new tokens`, unit: t`tokens`, log: false, min: 1, max: Math.max(2, bytes[0]!.length) },
    y: { title: unit.name, unit: unit.name, log: false, min: 0, max: 1.08 * largest / unit.bytes },
    series: cells.map(({ strategy }, i) => ({
      ...lineOf(strategy),
      points: bytes[i]!.map((each, token) => [token + 1, each / unit.bytes] as const),
      marks: bytes[i]!.length === 1 ? "points" : "none",
    })),
    table: {
      head: [t`new tokens`, ...cells.map(({ strategy }) => t`${strategy} (bytes, weights included)`)],
      rows: bytes[0]!.map((_, token) => [
        token + 1,
        ...cells.map(({ memory }) => memory.timeline.total_bytes[token]!),
      ]),
    },
  };
}

/** Makes horizontal stacks of bytes in the unit that fits the largest of them. */
function stackedBytes(
  stacks: readonly (Pick<BarSeries, "name" | "colour"> & { readonly bytes: readonly number[] })[],
  ends: readonly string[],
): Pick<BarFigure, "kind" | "x" | "series" | "stacked" | "ends"> {
  const sums = ends.map((_, i) => stacks.reduce((sum, { bytes }) => sum + bytes[i]!, 0));
  const largest = Math.max(...sums, 1);
  const unit = byteUnit(largest);
  return {
    kind: "bars",
    x: { title: unit.name, unit: unit.name, log: false, min: 0, max: largest / unit.bytes },
    series: stacks.map(({ name, colour, bytes }) => ({
      name,
      colour,
      values: bytes.map((value) => value / unit.bytes),
    })),
    stacked: true,
    ends,
  };
}
