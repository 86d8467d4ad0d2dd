/**
 * The report page: one HTML file that includes all it needs, Chart.js too. Its content security policy forbids anything
 * else, so that it fetches nothing, and runs no script that a name in a result may contain.
 */
import { createHash } from "node:crypto";
import client from "./client.js.txt" with { type: "text" };
import { Html, html, jsonScript } from "./html.ts";
import { allTogether, kindFor, type Reportable } from "../kinds.ts";
import { DEFAULT_LANG, type Lang } from "../lang.ts";
import { sayIn } from "../say.ts";
import type { Section } from "./sections.ts";
import galleryStyle from "./gallery.css" with { type: "text" };
import pageStyle from "./style.css" with { type: "text" };

const style = `${pageStyle}${galleryStyle}`;

/** Makes the page of one or more results. Default of the language: English. */
export function reportPage(
  results: readonly Reportable[],
  { lang = DEFAULT_LANG }: { readonly lang?: Lang } = {},
): string {
  const t = sayIn(lang), together = allTogether(results, lang);
  const own = new Map(results.map((result, i): [Reportable, Section] => {
    const prefix = results.length === 1 ? "" : `r${i + 1}-`;
    const kind = kindFor(result);
    const figures = kind.figures(result, lang).map((figure) => ({ ...figure, id: `${prefix}${figure.id}` }));
    return [result, { ...kind.section(result, figures, { prefix, lang }), figures }];
  }));
  const sections = [...together.map(({ section }) => section), ...own.values()];
  const arranged = new Set(together.flatMap(({ results, arrange }) => arrange ? results : []));
  const apart = results.filter((result) => !arranged.has(result)).map((result) => own.get(result)!);
  const shown = [...together.map(({ section }) => section), ...apart];
  const script = client.replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");
  const policy = [
    "default-src 'none'",
    "img-src data:",
    `style-src '${hashOf(style)}'`,
    `script-src '${hashOf(script)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const alone = sections.length === 1 ? sections[0] : undefined;
  const title = alone
    ? alone.pageTitle ?? t`${alone.title}: a KV-cache benchmark`
    : t`${results.length} KV-cache benchmarks`;
  return html`
    <!doctype html>
    <html lang="${lang}">
      <head>
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="${policy}">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <link rel="icon" href="data:,">
        <title>${title}</title>
        <style>${new Html(style)}</style>
      </head>
      <body>
    <main>
    <h1>${title}</h1>
    ${alone ? alone.body : shown.map(({ title, body }) => html`<section><h2>${title}</h2>${body}</section>`)}
    ${together.map(({ arrange }) => arrange?.((result) => own.get(result)!.body) ?? "")}
    </main>
    <noscript><p>${t`The charts need JavaScript. The tables show the same figures.`}</p></noscript>
    ${jsonScript("figures", sections.flatMap(({ figures }) => figures))}
    <script>${new Html(script)}</script>
      </body>
    </html>
  `.markup.trim();
}

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}
