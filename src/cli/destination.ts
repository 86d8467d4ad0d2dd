/**
 * Where `bench` puts what it measures.
 *
 * @module
 */
import { KvbenchError, UsageError } from "../errors.ts";
import type { Format } from "../report/formats.ts";
import { nextResultName } from "../report/write.ts";

/** The folder that is written to unless told otherwise. */
export const DEFAULT_FOLDER = "kvbench-results";

/** Where a result goes. */
export interface Destination {
  /** The result file; absent where none is, or may be, written. */
  readonly file?: string;
  /** The folder for what is made of the result; absent where none is. */
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
    throw new UsageError("Both --json and --out are given: wanted one of them");
  }
  const folder = out ?? DEFAULT_FOLDER;
  for (const name of ["write", "read"] as const) {
    if ((await Deno.permissions.query({ name, path: folder })).state === "granted") continue;
    const flags = `--allow-read=${folder} --allow-write=${folder}`;
    if (out !== undefined) throw new KvbenchError(`Cannot write to ${folder}: run with ${flags}`);
    return { quiet, hint: `Result and chart were not written: that needs ${flags}` };
  }
  const file = `${folder}/${await nextResultName(folder, new Date())}.json`;
  return { quiet, file, folder };
}
