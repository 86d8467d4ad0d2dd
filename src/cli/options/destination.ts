/**
 * The place that `bench` puts what it measures in.
 *
 * @module
 */
import { KvbenchError, UsageError } from "../../base/errors.ts";
import type { Format } from "../../report/formats.ts";
import type { BenchResult } from "../../measure/record/result.ts";
import { formatJson } from "../../report/json.ts";
import { checkWritable, writeUnderNewName } from "../../report/write.ts";
import { ResultFile } from "../session/result_file.ts";

/** The default folder. */
export const DEFAULT_FOLDER = "kvbench-results";

/** Where a result goes. */
export interface Destination {
  /** The result file, where it has a name before it is begun. */
  readonly file?: string;
  /** The folder for what is made of the result, and for the result where it has no name yet; absent where none is. */
  readonly folder?: string;
  /** Whether nothing but the result is printed. */
  readonly quiet: boolean;
  /** What to say where nothing was written for want of a permission. */
  readonly hint?: string;
}

/**
 * Decides.
 *
 * @throws {UsageError} If two places are named.
 * @throws {KvbenchError} If a folder was asked for and may not be written, or can't be listed.
 */
export async function destinationOf(
  { out, json, format }: { readonly out?: string; readonly json?: string; readonly format: Format },
): Promise<Destination> {
  const printed = json === "-";
  const quiet = printed || format !== "table";
  if (json !== undefined && out === undefined) return printed ? { quiet } : { quiet, file: json };
  if (json !== undefined && !printed) {
    throw new UsageError("Both --json and --out are given: expected one of them");
  }
  const folder = out ?? DEFAULT_FOLDER;
  for (const name of ["write", "read"] as const) {
    if ((await Deno.permissions.query({ name, path: folder })).state === "granted") continue;
    const flags = `--allow-read=${folder} --allow-write=${folder}`;
    if (out !== undefined) throw new KvbenchError(`Cannot write to ${folder}: run with ${flags}`);
    return { quiet, hint: `Result and chart were not written: that needs ${flags}` };
  }
  return { quiet, folder };
}

/**
 * Finds out before anything is measured whether the result can be written.
 *
 * @throws {KvbenchError} If it can't.
 */
export async function checkDestination({ file, folder }: Destination): Promise<void> {
  if (file !== undefined) await checkWritable(file);
  else if (folder !== undefined) await checkWritable(`${folder}/kvbench.json`);
}

/**
 * Begins the result file: where it has no name yet, under one that no other run gets.
 *
 * @returns Undefined where no file is written.
 * @throws {KvbenchError} If it can't be written.
 */
export async function openResult(
  { file, folder }: Destination,
  record: BenchResult,
): Promise<ResultFile | undefined> {
  if (file !== undefined) return await ResultFile.at(file);
  if (folder === undefined) return undefined;
  return ResultFile.begun(await writeUnderNewName(folder, new Date(), formatJson(record) + "\n"));
}
