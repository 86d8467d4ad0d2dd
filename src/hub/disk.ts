/** Errors of writing a cache, in one line. */
import { KvbenchError } from "../base/errors.ts";

/**
 * Makes the error for a file that can't be written.
 *
 * @param error Error of the runtime.
 * @param hint Text behind the reason.
 */
export function unwritable(path: string, error: unknown, hint = ""): KvbenchError {
  const text = error instanceof Error ? error.message : String(error);
  // The runtime names the call and its arguments behind the reason.
  const reason = (text.split("\n", 1)[0] ?? text).replace(/ \(os error \d+\).*$|: \w+ '.*$/, "");
  return new KvbenchError(`Cannot write ${path}: ${reason}${hint}`, { cause: error });
}
