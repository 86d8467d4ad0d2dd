/**
 * Text from files that goes to a terminal.
 *
 * @module
 */

/** Puts text on one line, without control characters, which could forge or hide output in a terminal. */
export function oneLine(text: string): string {
  // deno-lint-ignore no-control-regex -- they are what must go
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, " ").trim();
}
