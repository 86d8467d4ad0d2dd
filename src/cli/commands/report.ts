/** `kvbench report`: shows results that were measured before, or writes them in another form. */
import { Command } from "../options/commander.ts";
import { basename } from "node:path";
import { UsageError } from "../../base/errors.ts";
import { BENCH_KIND, type BenchResult } from "../../measure/record/result.ts";
import { assertOfOnePlan, type NamedResult } from "../../measure/record/one_plan.ts";
import { mergeShards } from "../../measure/record/shards.ts";
import { drawAnswer } from "../../report/answer_chart.ts";
import { drawCharts } from "../../report/chart.ts";
import type { Figure } from "../../report/figures/figure.ts";
import { type Format, formatResults, FORMATS } from "../../report/formats.ts";
import { allTogether, kindFor, parseReportable, type Reportable } from "../../report/kinds.ts";
import { DEFAULT_LANG, type Lang } from "../../report/lang.ts";
import { reportPage } from "../../report/page/page.ts";
import { figurePng } from "../../report/png.ts";
import { checkWritable, writeWhole } from "../../report/write.ts";
import { drawing } from "../session/chart_package.ts";
import { describeHelp } from "../options/help.ts";
import { LANG, WIDE } from "../options/json_output.ts";
import { addOptions, optionList, type Values } from "../options/option_spec.ts";
import { withProgress } from "../terminal/progress.ts";
import { readJson } from "../../hub/model_files.ts";
import { writeLine } from "../terminal/stdout.ts";

type Form = Format | "html";

const BY_EXTENSION: Readonly<Record<string, Form>> = {
  html: "html",
  txt: "table",
  json: "json",
  jsonl: "jsonl",
  csv: "csv",
  md: "markdown",
};

const REPORT_OPTIONS = optionList(
  {
    flags: "-o, --output <file>",
    help: `File to write; the extension selects the format: ${Object.keys(BY_EXTENSION).join(", ")}`,
    group: "Output",
  },
  {
    flags: "--format <form>",
    help: "Format",
    group: "Output",
    choices: [...FORMATS, "html"],
    defaultText: "that of the file's extension, else table",
  },
  WIDE,
  LANG,
  { flags: "--png <folder>", help: "Folder for every chart as a PNG", group: "Output" },
);

type Options = Values<typeof REPORT_OPTIONS>;

export function reportCommand(): Command {
  const command = addOptions(new Command("report"), ...REPORT_OPTIONS);
  return describeHelp(command, {
    examples: [
      ["Write a page that works offline", "report result.json -o report.html"],
      ["Draw every chart for a paper", "report result.json --png charts"],
      ["Set adapters side by side, a row each", "report h100.json m3-max.json -o adapters.html"],
    ],
  })
    .summary("Show results, or write a page, charts or data")
    .description(
      "Show results of bench, quality, ladder, profile, paper, serve-sim and load, or write them as a page, as charts, or as data.",
    )
    .argument("<result...>", "Results of bench, quality, ladder, profile, paper, serve-sim or load")
    .action(run);
}

/** A result with the name of its file. */
interface Named {
  readonly path: string;
  readonly result: Reportable;
}

function isBench(named: Named): named is NamedResult {
  return named.result.kind === BENCH_KIND.kind;
}

async function run(given: string[], { output, format, png, wide, lang }: Options): Promise<void> {
  const form = format ?? (output !== undefined ? formOf(output) : "table");
  const read: Named[] = [];
  for (const path of given) read.push({ path, result: await readReportable(path) });
  const { results: runs, notes } = mergeShards(read.filter(isBench));
  for (const note of notes) console.error(`kvbench: ${note}`);
  const kept: Named[] = [...runs, ...read.filter((each) => !isBench(each))];
  const results = kept.map(({ result }) => result), paths = kept.map(({ path }) => path);
  const english = lang === DEFAULT_LANG || form === "html"
    ? -1
    : results.findIndex((each) => !kindFor(each).tableSpeaks);
  if (english >= 0) {
    throw new UsageError(
      `Of ${paths[english]} only the page has words in ${lang}: expected -o FILE.html, or no --lang`,
    );
  }
  if (form === "html") assertComparable(runs);
  if (output !== undefined || png === undefined || format !== undefined) {
    const text = textOf(results, form, { paths, wide, lang });
    if (output === undefined) writeLine(text);
    else {
      await writeWhole(output, text + "\n");
      writeLine(`Wrote ${output}`);
    }
  }
  if (png !== undefined) await drawAll(results, png);
}

/**
 * Checks that results of bench are rows of one table.
 *
 * @throws {KvbenchError} With the name of the first one that is of another plan or model.
 */
function assertComparable(results: readonly NamedResult[]): void {
  for (const result of results) {
    assertOfOnePlan(results[0]!, result, {
      what: (path) => `show ${path} beside the others`,
      expected: "results of one plan and model on a page",
    });
  }
}

/**
 * Reads the result in a file.
 *
 * @throws {KvbenchError} If the file can't be read, or is no result that has a report.
 */
export async function readReportable(path: string): Promise<Reportable> {
  return parseReportable(await readJson(path), path);
}

function textOf(
  results: readonly Reportable[],
  form: Form,
  { paths, wide, lang }: { readonly paths: readonly string[]; readonly wide: boolean; readonly lang: Lang },
): string {
  if (form === "html") return reportPage(results, { lang });
  const benches = results.filter((result): result is BenchResult => result.kind === BENCH_KIND.kind);
  const others = results.filter((result) => result.kind !== BENCH_KIND.kind);
  if (others.length > 0 && form !== "table") {
    const path = paths[results.indexOf(others[0]!)];
    throw new UsageError(`${path} is no result of bench, and has no format ${form}: expected table or html`);
  }
  return [
    ...(form === "table" ? allTogether(results, lang).flatMap(({ table }) => table ?? []) : []),
    ...(benches.length > 0 ? [formatResults(benches, form, wide)] : []),
    ...others.map((each) => kindFor(each).table(each, { wide, lang })),
  ].join("\n\n");
}

/**
 * Draws each result's charts, and of bench results the overview. Of several results, each in a folder of its own beside
 * the charts of all of them.
 */
async function drawAll(results: readonly Reportable[], folder: string): Promise<void> {
  const pathOf = ({ name, draw }: Chart, into: string) => ({ path: `${into}/${name}.png`, draw });
  const together = allTogether(results, DEFAULT_LANG).flatMap(({ figures }) => figures);
  const charts = [
    ...together.map((figure) => pathOf(chartOf(figure), folder)),
    ...results.flatMap((result, i) =>
      chartsOf(result).map((chart) => pathOf(chart, results.length === 1 ? folder : `${folder}/${i + 1}`))
    ),
  ];
  await withProgress(async (bar) => {
    bar.start("Drawing", charts.length, "charts");
    for (const [i, { path, draw }] of charts.entries()) {
      bar.update(i, `Drawing ${basename(path)}`);
      await checkWritable(path);
      await writeWhole(path, await drawing(draw, (line) => bar.say(line)));
      writeLine(`Wrote ${path}`);
    }
  });
}

/** A chart that can be drawn. */
interface Chart {
  readonly name: string;
  draw(): Promise<Uint8Array>;
}

function chartOf(figure: Figure): Chart {
  return { name: figure.id, draw: () => figurePng(figure) };
}

function chartsOf(result: Reportable): Chart[] {
  const figures = kindFor(result).figures(result, DEFAULT_LANG);
  const charts = figures.map(chartOf);
  if (result.kind !== BENCH_KIND.kind || charts.length === 0) return charts;
  return [
    { name: "overview", draw: () => drawCharts(result) },
    { name: "answer", draw: () => drawAnswer(result) },
    ...charts,
  ];
}

function formOf(path: string): Form {
  const extension = path.match(/\.([^./\\]+)$/)?.[1]?.toLowerCase() ?? "";
  const form = BY_EXTENSION[extension];
  if (form !== undefined) return form;
  throw new UsageError(
    `The format of ${path} can't be told from its extension: expected ${
      Object.keys(BY_EXTENSION).join(", ")
    }, or --format`,
  );
}
