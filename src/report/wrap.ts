/**
 * Line breaks for a terminal.
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
