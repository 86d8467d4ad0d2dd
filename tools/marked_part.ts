/** Parts of Markdown pages that tools write, between `<!-- NAME -->` and `<!-- /NAME -->`. */

/**
 * Returns the text between the marks of a part.
 *
 * @throws {Error} If the page lacks one of the marks.
 */
export function partOf(page: string, name: string): string {
  const { begin, end } = boundsOf(page, name);
  return page.slice(begin, end);
}

/**
 * Returns a page with `text` between the marks of a part, in place of what stood there.
 *
 * @throws {Error} If the page lacks one of the marks.
 */
export function withPart(page: string, name: string, text: string): string {
  const { begin, end } = boundsOf(page, name);
  return `${page.slice(0, begin)}\n\n${text}\n\n${page.slice(end)}`;
}

function boundsOf(page: string, name: string): { readonly begin: number; readonly end: number } {
  const opening = `<!-- ${name} -->`, closing = `<!-- /${name} -->`;
  const begin = page.indexOf(opening), end = page.indexOf(closing);
  if (begin < 0 || end < begin) {
    throw new Error(`The page has no part '${name}': expected ${opening} and, after it, ${closing}`);
  }
  return { begin: begin + opening.length, end };
}
