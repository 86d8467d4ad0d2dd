/**
 * HTML that can't be broken out of: text is escaped where it is put in, and only what is marked as HTML is not.
 *
 * @module
 */

/** Markup, as opposed to text. */
export class Html {
  /** The markup itself. */
  readonly markup: string;

  /** @param markup Is not escaped. */
  constructor(markup: string) {
    this.markup = markup;
  }
}

/** What can be put into {@linkcode html}. */
export type Part = string | number | Html | readonly Part[];

/** A template whose parts are escaped, unless they are HTML themselves. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.reduce((all, text, i) => `${all}${markupOf(parts[i - 1]!)}${text}`));
}

function markupOf(part: Part): string {
  if (part instanceof Html) return part.markup;
  if (Array.isArray(part)) return part.map(markupOf).join("");
  return escapeHtml(String(part));
}

// deno-lint-ignore no-control-regex -- they are what must go
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** Text as it stands in HTML, in attributes too. Control characters, which HTML may not hold, are replaced. */
export function escapeHtml(text: string): string {
  return text.replace(FORBIDDEN, "\ufffd")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** A value as JSON in a `<script>`, out of which no text leads. */
export function jsonScript(id: string, value: unknown): Html {
  const json = JSON.stringify(value).replaceAll("<", "\\u003c");
  return new Html(`<script type="application/json" id="${escapeHtml(id)}">${json}</script>`);
}
