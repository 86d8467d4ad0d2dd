/**
 * `--json FILE`: the result of a subcommand as a file beside the table that it prints, or in place of it.
 */
import type { Command } from "./commander.ts";
import { LANGS } from "../../report/lang.ts";
import { formatJson } from "../../report/json.ts";
import { checkWritable, writeWhole } from "../../report/write.ts";
import { addOptions, type Values } from "./option_spec.ts";
import { writeLine } from "../terminal/stdout.ts";

/** The result as a file. */
export const JSON_FILE = {
  flags: "--json <file>",
  help: "Write the result to a file; with -, print it as JSON and nothing else",
  group: "Output",
} as const;

/** Values of {@linkcode addJsonOption}. */
export type JsonOptions = Values<readonly [typeof JSON_FILE]>;

/** JSON on stdout in place of a table or sentence. */
export const PRINT_JSON = {
  flags: "--json",
  help: "Print JSON in place of text",
  group: "Output",
  default: false,
} as const;

/** All columns of a table. */
export const WIDE = {
  flags: "--wide",
  help: "Show all columns of tables, more than fit 80 characters",
  group: "Output",
  default: false,
} as const;

/** The language of a ladder. */
export const LANG = {
  flags: "--lang <code>",
  help: "Language of pages, and of a ladder's table; charts as PNG are in English",
  group: "Output",
  choices: LANGS,
  default: "en",
} as const;

/** Adds the option to a subcommand. */
export function addJsonOption(command: Command): Command {
  return addOptions(command, JSON_FILE);
}

/**
 * Checks, before anything is measured, that the result can be written.
 *
 * @throws {KvbenchError} If it can't.
 */
export async function checkJson({ json }: JsonOptions): Promise<void> {
  if (json !== undefined && json !== "-") await checkWritable(json);
}

/**
 * Prints the table and writes the file, or prints JSON alone.
 *
 * @throws {KvbenchError} If the file can't be written. It is then as it was.
 */
export async function giveResult<T>(
  result: T,
  tableOf: (result: T) => string,
  { json }: JsonOptions,
): Promise<void> {
  if (json === "-") return writeLine(formatJson(result));
  writeLine(tableOf(result));
  if (json !== undefined) await writeWhole(json, formatJson(result) + "\n");
}
