/**
 * Text for a terminal: broken into lines, or put on one.
 *
 * @module
 */

/** Columns of a report: what the narrowest terminal shows. */
export const WIDTH = 80;

/** Breaks text at spaces into lines of at most `width` columns. */
export function wrap(text: string, { width = WIDTH }: { readonly width?: number } = {}): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines;
}

/** Puts text on one line, without control characters, which could forge or hide output in a terminal. */
export function oneLine(text: string): string {
  // deno-lint-ignore no-control-regex -- they are what must go
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, " ").trim();
}
