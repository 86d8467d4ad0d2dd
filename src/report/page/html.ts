/** HTML from templates: every text that is put in is escaped, unless it is marked as HTML. */

/** Markup, which is not escaped, as opposed to text. */
export class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }
}

/** A part of a template. */
export type Part = string | number | Html | readonly Part[];

/** Fills a template: escapes its parts, unless they are HTML. */
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

/** Escapes text for HTML and its attributes, and replaces control characters, which HTML may not hold. */
export function escapeHtml(text: string): string {
  return text.replace(FORBIDDEN, "\ufffd")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** Puts a value as JSON into a `<script>`, which no text in it can end. */
export function jsonScript(id: string, value: unknown): Html {
  const json = JSON.stringify(value).replaceAll("<", "\\u003c");
  return new Html(`<script type="application/json" id="${escapeHtml(id)}">${json}</script>`);
}
