/** `kvbench compare`: what changed between results, and whether anything got worse. */
import { Command } from "../options/commander.ts";
import { KvbenchError } from "../../base/errors.ts";
import { compareResults, type Comparison, regressions } from "../../measure/findings/compare.ts";
import type { BenchResult } from "../../measure/record/result.ts";
import { compareMarkdown, compareTable, METRIC_NAMES } from "../../report/compare_table.ts";
import { formatJson } from "../../report/json.ts";
import { cellLabels } from "../../report/labels.ts";
import { formatPercent } from "../../report/units.ts";
import { describeHelp } from "../options/help.ts";
import { COMPARE_OPTIONS, type CompareOptions } from "../options/compare_options.ts";
import { addOptions, type Values } from "../options/option_spec.ts";
import { progressBar } from "../terminal/progress.ts";
import { readResult } from "../session/result_file.ts";
import { writeLine } from "../terminal/stdout.ts";

/** Exit code where something got worse. */
const REGRESSION = 3;

const FORMAT = {
  flags: "--format <form>",
  help: "Printed form",
  group: "Output",
  choices: ["table", "json", "markdown"],
  default: "table",
} as const;

type Options = CompareOptions & Values<readonly [typeof FORMAT]>;

export function compareCommand(): Command {
  return describeHelp(addOptions(new Command("compare"), ...COMPARE_OPTIONS, FORMAT), {
    examples: [
      ["Say what changed between two results", "compare before.json after.json"],
      ["End with code 3 if anything became worse by 5 %", "compare before.json after.json --fail-on 5%"],
    ],
  })
    .summary("Tell what changed between results of bench")
    .description("Compare results with the first of them: faster, slower, or no difference.")
    .argument("<before>", "Result of bench")
    .argument("<after...>", "Other results of bench")
    .action(run);
}

async function run(before: string, after: string[], options: Options): Promise<void> {
  const base = await readResult(before);
  const comparisons: { path: string; comparison: Comparison }[] = [];
  for (const path of after) {
    comparisons.push({ path, comparison: compared(base, await readResult(path), options) });
  }
  const { threshold, format } = options;
  if (format === "json") {
    const all = comparisons.map(({ path, comparison }) => ({ before, after: path, ...comparison }));
    writeLine(formatJson(snakeCase({ threshold, comparisons: all })));
  } else {
    const draw = format === "table" ? compareTable : compareMarkdown;
    for (const { path, comparison } of comparisons) {
      writeLine(`${before} → ${path}\n\n${draw(comparison, threshold)}`);
    }
  }
  for (const { comparison } of comparisons) failOn(comparison, options);
}

/**
 * Compares a fresh result with an earlier one.
 *
 * @param print Takes the comparison as text.
 * @throws {KvbenchError} If a limit is set and nothing can be held against it.
 */
export function compareWithBaseline(
  before: BenchResult,
  after: BenchResult,
  options: CompareOptions,
  print: (text: string) => void,
): void {
  const comparison = compared(before, after, options);
  print(compareTable(comparison, options.threshold));
  failOn(comparison, options);
}

/** Compares two results, and shows how far that is: intervals of many cells take seconds. */
function compared(before: BenchResult, after: BenchResult, { threshold }: CompareOptions): Comparison {
  const bar = progressBar();
  try {
    bar.start("Comparing", before.cells.length, "cells");
    return compareResults(before, after, threshold, (done) => bar.update(done));
  } finally {
    bar.stop();
  }
}

/** Sets the exit code where something got worse, and says what. */
function failOn(comparison: Comparison, { failOn: limit }: CompareOptions): void {
  if (limit === undefined) return;
  const judged = comparison.pairs.some(({ metrics }) =>
    metrics.some(({ verdict }) => verdict !== "too few runs")
  );
  if (!judged) {
    throw new KvbenchError(
      "Cannot tell whether anything got worse: expected cells that are in both results with 4 runs or more",
    );
  }
  const worse = regressions(comparison, limit);
  if (worse.length === 0) return;
  const labels = cellLabels(worse.map(({ cell }) => cell));
  const list = worse.map(({ what }, i) => `${labels[i]}: ${METRIC_NAMES[what as "ttft_ms"] ?? what}`);
  console.error(`kvbench: Worse by more than ${formatPercent(limit, 1)}: ${list.join("; ")}`);
  Deno.exitCode = REGRESSION;
}

/** A value with its fields' names as result files have them. */
function snakeCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeCase);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map((
      [key, each],
    ) => [key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), snakeCase(each)]),
  );
}
