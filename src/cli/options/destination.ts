/** The destination of `bench`'s result. */
import { KvbenchError, UsageError } from "../../base/errors.ts";
import type { Format } from "../../report/formats.ts";
import type { BenchResult } from "../../measure/record/result.ts";
import { formatJson } from "../../report/json.ts";
import { checkWritable, writeUnderNewName } from "../../report/write.ts";
import { ResultFile } from "../session/result_file.ts";
import { isGranted } from "../../host/permissions.ts";

/** Default folder of results. */
export const DEFAULT_FOLDER = "kvbench-results";

/** Destination of a result. */
export interface Destination {
  /** Path of the result file, if it is known from the start. */
  readonly file?: string;
  /** Folder of page and chart, and of the result file if its name is not known yet; absent if none are written. */
  readonly folder?: string;
  /** True if nothing but the result is printed. */
  readonly quiet: boolean;
  /** Line to print if a permission is missing and nothing is written. */
  readonly hint?: string;
}

/**
 * Returns the destination that options name.
 *
 * @throws {UsageError} If they name two.
 * @throws {KvbenchError} If a named folder may not be written.
 */
export function destinationOf(
  { out, json, format }: { readonly out?: string; readonly json?: string; readonly format: Format },
): Destination {
  const printed = json === "-";
  const quiet = printed || format !== "table";
  if (json !== undefined && out === undefined) return printed ? { quiet } : { quiet, file: json };
  if (json !== undefined && !printed) {
    throw new UsageError("Both --json and --out are given: expected one of them");
  }
  const folder = out ?? DEFAULT_FOLDER;
  for (const name of ["write", "read"] as const) {
    if (isGranted({ name, path: folder })) continue;
    const flags = `--allow-read=${folder} --allow-write=${folder}`;
    if (out !== undefined) throw new KvbenchError(`Cannot write to ${folder}: run with ${flags}`);
    return { quiet, hint: `Result and chart were not written: that needs ${flags}` };
  }
  return { quiet, folder };
}

/**
 * Checks, before anything is measured, that the result can be written.
 *
 * @throws {KvbenchError} If it can't.
 */
export async function checkDestination({ file, folder }: Destination): Promise<void> {
  if (file !== undefined) await checkWritable(file);
  else if (folder !== undefined) await checkWritable(`${folder}/kvbench.json`);
}

/**
 * Begins the result file, under a name that no other run gets if it has none yet.
 *
 * @returns Undefined if no file is written.
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
