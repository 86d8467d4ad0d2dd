/** A comparison of two results for the terminal and as Markdown. */
import type { Comparison, MetricComparison } from "../measure/findings/compare.ts";
import { markdownTable } from "./markdown.ts";
import { cellLabels } from "./labels.ts";
import { drawTable } from "./text_table.ts";
import { oneLine, wrap } from "./wrap.ts";
import { formatBytes, formatMs, formatPercent, formatSignificant } from "./units.ts";

/** Titles of the times that are compared. */
export const METRIC_NAMES: Readonly<Record<MetricComparison["metric"], string>> = {
  ttft_ms: "TTFT",
  tpot_ms: "TPOT",
  e2e_ms: "total",
};

const HEAD = ["", "before", "after", "ratio (95 % interval)", "p", "verdict"];

/** Returns the report as lines of text, no newline at the end. */
export function compareTable(comparison: Comparison, threshold: number): string {
  const rows = compareRows(comparison).flatMap(([label = "", ...row]) => [
    ...(label === "" ? [] : [{ heading: label }]),
    row.map((cell, i) => i === 0 ? ` ${cell}` : cell),
  ]);
  const table = drawTable(rows, { head: HEAD, align: "lrrrrl" });
  return [table, ...compareNotes(comparison, threshold).flatMap((line) => wrap(line))].join("\n");
}

/** Returns the report as GitHub-flavoured Markdown. */
export function compareMarkdown(comparison: Comparison, threshold: number): string {
  const notes = compareNotes(comparison, threshold).map((note) => `- ${note}`);
  return [markdownTable(["cell", "time", ...HEAD.slice(1)], compareRows(comparison)), "", ...notes].join(
    "\n",
  );
}

/** Returns a row per cell and time. */
function compareRows({ pairs }: Comparison): string[][] {
  const labels = cellLabels(pairs.map(({ cell }) => cell));
  return pairs.flatMap(({ metrics }, i) =>
    metrics.map((each, row) => [
      row === 0 ? labels[i]! : "",
      METRIC_NAMES[each.metric],
      formatMs(each.before),
      formatMs(each.after),
      sayRatio(each),
      each.together.p < 0.001 ? "< 0.001" : each.together.p.toFixed(3),
      each.verdict,
    ])
  );
}

const digits = (value: number) => value.toPrecision(4);

/** Says a ratio and its interval, with four digits so that a difference of 1 % shows. */
function sayRatio({ together: { ratio, interval } }: MetricComparison): string {
  const range = interval ? ` (${interval.map(digits).join("–")})` : "";
  return `${digits(ratio)}${range}`;
}

/** Returns the smallest slowdown that a time's interval would surely show, as a share. */
function unseen({ together: { interval, ratio }, verdict }: MetricComparison): number {
  return verdict === "no difference" && interval ? Math.max(interval[1] / ratio, ratio / interval[0]) - 1 : 0;
}

/** Lists what the table leaves out: a summary, and changes besides the times. */
export function compareNotes(comparison: Comparison, threshold: number): string[] {
  const { pairs, missing, added, differences, machine } = comparison;
  const labels = cellLabels(pairs.map(({ cell }) => cell));
  const notes: string[] = [];
  const say = formatPercent(threshold, 1);
  const changed = pairs.flatMap(({ metrics }) => metrics).filter(({ verdict }) =>
    verdict === "faster" || verdict === "slower"
  );
  if (pairs.length === 0) notes.push("No cell is in both results.");
  else if (changed.length === 0) notes.push(`No difference of more than ${say} is shown.`);
  else {
    const slower = changed.filter(({ verdict }) => verdict === "slower").length;
    notes.push(`Beyond ${say}: ${slower} slower, ${changed.length - slower} faster.`);
  }
  pairs.forEach(({ peakBytes: [before, after], sameIds }, i) => {
    if (before !== after) {
      notes.push(
        `${labels[i]}: peak memory went from ${formatBytes(before)} to ${formatBytes(after)} ` +
          `(× ${formatSignificant(after / before)}).`,
      );
    }
    if (!sameIds) notes.push(`${labels[i]}: the generated tokens are not the same.`);
  });
  const few = pairs.filter(({ metrics }) => metrics.some(({ verdict }) => verdict === "too few runs"));
  if (few.length > 0) {
    notes.push(`Too few runs for a verdict in ${few.length} of ${pairs.length} cells: expected at least 4.`);
  }
  const blind = Math.max(0, ...pairs.flatMap(({ metrics }) => metrics.map(unseen)));
  if (blind > threshold) {
    notes.push(
      `Differences below ${formatPercent(blind, 1)} may go unseen: more runs or a quieter machine would ` +
        "narrow the intervals.",
    );
  }
  if (machine !== null && Math.abs(Math.log(machine)) > Math.log(1 + threshold)) {
    notes.push(
      `Caution: by the yardstick, the machine took ${
        formatSignificant(machine)
      } × as long for the same work in the later ` +
        "run. The ratios allow for that.",
    );
  }
  for (const [which, cells] of [["before", missing], ["after", added]] as const) {
    if (cells.length > 0) notes.push(`Only ${which}: ${cellLabels(cells).join("; ")}.`);
  }
  if (differences.length > 0) {
    notes.push(`Caution: more than the times differs. ${differences.map(oneLine).join("; ")}.`);
  }
  return notes;
}
