/**
 * `kvbench report`: shows results that were measured before, or writes them in another form.
 *
 * @module
 */
import { Command, Option } from "npm:commander@15.1.0";
import { UsageError } from "../errors.ts";
import { type Format, formatResults, FORMATS } from "../report/formats.ts";
import { writeWhole } from "../report/write.ts";
import { readResult } from "./result_file.ts";

interface Options {
  readonly output?: string;
  readonly format?: Format;
}

/** Forms by the ends of the files that they are written to. */
const BY_EXTENSION: Readonly<Record<string, Format>> = {
  txt: "table",
  json: "json",
  jsonl: "jsonl",
  csv: "csv",
  md: "markdown",
};

/** Declares the subcommand. */
export function reportCommand(): Command {
  return new Command("report")
    .description("Show results of bench, or write them as JSON, JSON lines, CSV or Markdown")
    .argument("<result...>", "results of bench")
    .option(
      "-o, --output <file>",
      `a file to write, whose end (${Object.keys(BY_EXTENSION).join(", ")}) says the form`,
    )
    .addOption(
      new Option("--format <form>", "the form (default: by the file's end, else table)").choices(FORMATS),
    )
    .action(run);
}

async function run(paths: string[], { output, format }: Options): Promise<void> {
  const form = format ?? (output === undefined ? "table" : formOf(output));
  const results = [];
  for (const path of paths) results.push(await readResult(path));
  const text = formatResults(results, form);
  if (output === undefined) return console.log(text);
  await writeWhole(output, text + "\n");
  console.log(`Wrote ${output}`);
}

function formOf(path: string): Format {
  const extension = path.match(/\.([^./\\]+)$/)?.[1]?.toLowerCase() ?? "";
  const form = BY_EXTENSION[extension];
  if (form !== undefined) return form;
  throw new UsageError(
    `The form of ${path} can't be told from its end: wanted ${
      Object.keys(BY_EXTENSION).join(", ")
    }, or --format`,
  );
}
