/**
 * Text for a terminal.
 *
 * @module
 */

/** Columns of a report at most. */
export const WIDTH = 100;

/** `text` in lines of at most `width` columns, broken at spaces. */
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
