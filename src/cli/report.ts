/**
 * `kvbench report`: shows results that were measured before, or writes them in another form.
 *
 * @module
 */
import { Command, Option } from "./commander.ts";
import { UsageError } from "../errors.ts";
import { PAPER_KIND, parsePaper } from "../measure/paper/result.ts";
import { parseProfile, PROFILE_KIND } from "../measure/profile_result.ts";
import { kindOf } from "../measure/record.ts";
import { BENCH_KIND, type BenchResult, parseResult } from "../measure/result.ts";
import { drawCharts } from "../report/chart.ts";
import { figuresOf } from "../report/figures/all.ts";
import type { Figure } from "../report/figures/figure.ts";
import { paperFigures } from "../report/figures/paper.ts";
import { rooflineFigure } from "../report/figures/roofline.ts";
import { type Format, formatResults, FORMATS } from "../report/formats.ts";
import { type Reportable, reportPage } from "../report/page/page.ts";
import { figurePng } from "../report/png.ts";
import { paperTable } from "../report/paper_table.ts";
import { profileTable } from "../report/profile_table.ts";
import { checkWritable, writeWhole } from "../report/write.ts";
import { drawing } from "./chart_package.ts";
import { readJson } from "./result_file.ts";
import { writeLine } from "./stdout.ts";

interface Options {
  readonly output?: string;
  readonly format?: Form;
  readonly png?: string;
}

type Form = Format | "html";

/** Forms by the ends of the files that they are written to. */
const BY_EXTENSION: Readonly<Record<string, Form>> = {
  html: "html",
  txt: "table",
  json: "json",
  jsonl: "jsonl",
  csv: "csv",
  md: "markdown",
};

/** Declares the subcommand. */
export function reportCommand(): Command {
  return new Command("report")
    .description("Show results of bench, profile and paper, or write them as a page, as charts, or as data")
    .argument("<result...>", "results of bench, profile or paper")
    .option(
      "-o, --output <file>",
      `a file to write, whose end (${Object.keys(BY_EXTENSION).join(", ")}) says the form`,
    )
    .addOption(
      new Option("--format <form>", "the form (default: by the file's end, else table)")
        .choices([...FORMATS, "html"]),
    )
    .option("--png <folder>", "a folder for every chart as a PNG")
    .action(run);
}

async function run(paths: string[], { output, format, png }: Options): Promise<void> {
  const form = format ?? (output !== undefined ? formOf(output) : "table");
  const results: Reportable[] = [];
  for (const path of paths) results.push(await readReportable(path));
  if (output !== undefined || png === undefined || format !== undefined) {
    const text = textOf(results, form, paths);
    if (output === undefined) writeLine(text);
    else {
      await writeWhole(output, text + "\n");
      writeLine(`Wrote ${output}`);
    }
  }
  if (png !== undefined) await drawAll(results, png);
}

/**
 * Reads a result of any kind that has a report.
 *
 * @throws {KvbenchError} If the file can't be read, or is no such result.
 */
export async function readReportable(path: string): Promise<Reportable> {
  const json = await readJson(path);
  switch (kindOf(json)) {
    case PROFILE_KIND:
      return parseProfile(json, path);
    case PAPER_KIND.kind:
      return parsePaper(json, path);
    default:
      return parseResult(json, path);
  }
}

function textOf(results: readonly Reportable[], form: Form, paths: readonly string[]): string {
  if (form === "html") return reportPage(results);
  const benches = results.filter((result): result is BenchResult => result.kind === BENCH_KIND);
  const others = results.filter((result) => result.kind !== BENCH_KIND);
  if (others.length > 0 && form !== "table") {
    const path = paths[results.indexOf(others[0]!)];
    throw new UsageError(`${path} is no result of bench, and has no form ${form}: wanted table or html`);
  }
  return [...(benches.length > 0 ? [formatResults(benches, form)] : []), ...others.map(tableOf)].join("\n\n");
}

function tableOf(result: Exclude<Reportable, BenchResult>): string {
  return result.kind === PROFILE_KIND ? profileTable(result) : paperTable(result);
}

function figuresFor(result: Reportable): Figure[] {
  switch (result.kind) {
    case BENCH_KIND:
      return figuresOf(result);
    case PROFILE_KIND:
      return [rooflineFigure(result)];
    case PAPER_KIND.kind:
      return paperFigures(result);
  }
}

/** Draws each result's charts, and of bench results the overview. Of several results, each in a folder of its own. */
async function drawAll(results: readonly Reportable[], folder: string): Promise<void> {
  for (const [i, result] of results.entries()) {
    const into = results.length === 1 ? folder : `${folder}/${i + 1}`;
    const figures = figuresFor(result);
    const write = async (name: string, draw: () => Promise<Uint8Array>) => {
      const path = `${into}/${name}.png`;
      await checkWritable(path);
      await writeWhole(path, await drawing(draw, console.error));
      writeLine(`Wrote ${path}`);
    };
    if (result.kind === BENCH_KIND && figures.length > 0) await write("overview", () => drawCharts(result));
    for (const figure of figures) await write(figure.id, () => figurePng(figure));
  }
}

function formOf(path: string): Form {
  const extension = path.match(/\.([^./\\]+)$/)?.[1]?.toLowerCase() ?? "";
  const form = BY_EXTENSION[extension];
  if (form !== undefined) return form;
  throw new UsageError(
    `The form of ${path} can't be told from its end: wanted ${
      Object.keys(BY_EXTENSION).join(", ")
    }, or --format`,
  );
}
