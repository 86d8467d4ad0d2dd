/**
 * `--json FILE`: the result of a subcommand as a file beside the table that it prints, or in place of it.
 *
 * @module
 */
import type { Command } from "./commander.ts";
import { formatJson } from "../report/json.ts";
import { checkWritable, writeWhole } from "../report/write.ts";
import { writeLine } from "./stdout.ts";

/** Values of {@linkcode addJsonOption}. */
export interface JsonOptions {
  /** A file, or `-` for stdout. */
  readonly json?: string;
}

/** Adds the option to a subcommand. */
export function addJsonOption(command: Command): Command {
  return command.option("--json <file>", "write the result there; with -, print it and nothing else");
}

/**
 * Finds out before anything is measured whether the result can be written.
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
