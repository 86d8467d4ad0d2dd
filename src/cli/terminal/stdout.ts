/** Printing to stdout. An error of stdout is a fault outside the program, not a defect. */
import { KvbenchError, reasonOf } from "../../base/errors.ts";
import { aboveDisplay } from "./display.ts";

/** A closed pipe: the output's reader has left, and the CLI ends silently. */
export class ReaderGoneError extends KvbenchError {}

/**
 * Prints a line.
 *
 * @throws {KvbenchError} If it can't be written. A reader that has left is no error here.
 */
export function writeLine(text: string): void {
  guarded(() => console.log(text));
}

/**
 * Prints text as it is, synchronously.
 *
 * @throws {ReaderGoneError | KvbenchError} If it can't be written.
 */
export function writeText(text: string): void {
  let bytes = encoder.encode(text);
  guarded(() => {
    while (bytes.length > 0) bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
  });
}

const encoder = new TextEncoder();

function guarded(write: () => void): void {
  try {
    aboveDisplay(write);
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) throw new ReaderGoneError("The output's reader has left");
    throw new KvbenchError(`Cannot write to stdout: ${reasonOf(error)}`, { cause: error });
  }
}
