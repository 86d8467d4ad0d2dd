/** Text for a terminal: broken into lines, or put on one. */

/** Columns of a report: what the narrowest terminal shows. */
export const WIDTH = 80;

/** Characters that take two columns: those of Chinese and their punctuation. */
const WIDE = /[\u2e80-\u9fff\uf900-\ufaff\uff00-\uff60]/;

/** A piece of text that no line break may part: a word, or a wide character with the punctuation behind it. */
const PIECE = new RegExp(
  "[“（]*(?:[\\u2e80-\\u9fff\\uf900-\\ufaff\\uff00-\\uff60]|[^\\s\\u2e80-\\u9fff\\uf900-\\ufaff\\uff00-\\uff60]+)[，。：；、）”】]*",
  "g",
);

/** Counts the columns that text takes on a terminal. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += WIDE.test(character) ? 2 : 1;
  return columns;
}

/** Breaks text at spaces, and beside wide characters, into lines of at most `width` columns. */
export function wrap(text: string, { width = WIDTH }: { readonly width?: number } = {}): string[] {
  const lines = [""];
  let end = 0;
  for (const { 0: piece, index } of text.matchAll(PIECE)) {
    const joined = `${lines.at(-1)}${text.slice(end, index)}${piece}`;
    if (end === 0 || columnsOf(joined) <= width) lines[lines.length - 1] = joined;
    else lines.push(piece);
    end = index + piece.length;
  }
  return lines;
}

/** Puts text on one line, without control characters, which could forge or hide output in a terminal. */
export function oneLine(text: string): string {
  // deno-lint-ignore no-control-regex -- they are what must go
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, " ").trim();
}
