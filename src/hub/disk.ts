/**
 * What can go wrong when a cache is written, in one line.
 *
 * @module
 */
import { KvbenchError } from "../base/errors.ts";

/**
 * The error for a file that can't be written.
 *
 * @param path The file.
 * @param error What the runtime threw.
 * @param hint What to add.
 */
export function unwritable(path: string, error: unknown, hint = ""): KvbenchError {
  const text = error instanceof Error ? error.message : String(error);
  // The runtime names the call and its arguments behind the reason.
  const reason = (text.split("\n", 1)[0] ?? text).replace(/ \(os error \d+\).*$|: \w+ '.*$/, "");
  return new KvbenchError(`Cannot write ${path}: ${reason}${hint}`, { cause: error });
}
