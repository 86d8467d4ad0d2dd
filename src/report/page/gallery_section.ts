/**
 * The part of the report page for results of many adapters: a row an adapter, the verdicts on claims below it, and each
 * result in full. `gallery_client.ts` sorts and filters it; without a script all of it is there.
 *
 * @module
 */
import type { Estimate } from "../../measure/findings/adapters.ts";
import type { Interval } from "../../measure/statistics/bootstrap.ts";
import { type DotAxis, dotAxis } from "../gallery/axis.ts";
import { FIGURE_AXES, FIGURE_NAMES, type GalleryRow, type GalleryView } from "../gallery/view.ts";
import type { FigureName } from "../gallery/words.ts";
import { type Html, html } from "./html.ts";
import { verdictMarkup } from "./sections.ts";

/** Width of a column of dots, and height of its rows, in the units of its picture. */
const WIDTH = 150;
const HEIGHT = 16;
/** Radius of a dot, and height of the ends of an interval. */
const RADIUS = 4.5;
const CAP = 4;

/** Units of the axes. */
const UNITS: Readonly<Partial<Record<FigureName, string>>> = {
  cacheGain: "×",
  pagingCost: "%",
  tpotMs: "ms",
};

/** Markup of the tables, without title. */
export function galleryBody(view: GalleryView): Html {
  const { words, cautions } = view;
  return html`
    <p class="answer">${view.heading}</p>
    ${cautions.length === 0
      ? ""
      : html`<ul class="cautions">${cautions.map((text) => html`<li>${words.caution(text)}</li>`)}</ul>`}
    <div class="filter" role="search" hidden>
      <label>${words.page.filter} <input type="search" placeholder="${words.page.filterHint}"></label>
      <span class="count" role="status" data-shown="${words.page.shown}" data-none="${words.page
        .none}"></span>
      <a href="#adapter=">${words.page.all}</a>
    </div>
    ${figuresTable(view)}
    <p class="faint">${words.page.reading}</p>
    <h3>${words.page.claimsTitle}</h3>
    ${claimsTable(view)}
  `;
}

/** Makes the list of full results, in the order of the rows. */
export function galleryDetails({ words, rows }: GalleryView, bodyOf: (row: GalleryRow) => Html): Html {
  return html`
    <section>
      <h2>${words.page.details}</h2>
      <div data-adapters>${rows.map((row) =>
        html`
          <details class="adapter" data-adapter="${row.anchor}">
            <summary>${row.name} <span class="faint">${row.kind}, ${row.program.short}</span></summary>
            ${bodyOf(row)}
          </details>
        `
      )}</div>
    </section>
  `;
}

function figuresTable({ words, titles, rows }: GalleryView): Html {
  const axes = Object.fromEntries(FIGURE_NAMES.map((name) => [
    name,
    FIGURE_AXES[name] && dotAxis(rows.map(({ findings }) => findings.figures[name]), FIGURE_AXES[name]),
  ])) as Readonly<Record<FigureName, DotAxis | undefined>>;
  const { columns, page } = words;
  return html`
    <div class="scroll tall" tabindex="0" role="region" aria-label="${page.tableTitle}">
      <table class="gallery" id="gallery">
        <thead>
          <tr>
            ${heading(columns.check, page.sort)}
            ${heading(columns.adapter, page.sort)}
            ${FIGURE_NAMES.map((name) => heading(titles[name], page.sort, axisMarkup(name, axes[name])))}
          </tr>
        </thead>
        <tbody data-adapters>${rows.map((row) => figuresRow(row, titles, axes, columns.check))}</tbody>
      </table>
    </div>
  `;
}

/** Makes the head of a column that can be sorted by. */
function heading(title: string, sort: string, axis: Html | string = ""): Html {
  return html`
    <th
      scope="col"><button type="button" aria-label="${sort}: ${title}">${title}</button>${axis}</th>
  `;
}

function figuresRow(
  { anchor, name, kind, program, search, check, figures, findings }: GalleryRow,
  titles: Readonly<Record<FigureName, string>>,
  axes: Readonly<Record<FigureName, DotAxis | undefined>>,
  checkTitle: string,
): Html {
  const verdict = {
    "right": "holds",
    "wrong": "does not hold",
    "not recorded": "not shown by this run",
  } as const;
  return html`
    <tr data-adapter="${anchor}" data-search="${search}">
      <td data-label="${checkTitle}" data-value="${findings.selfCheck}">${verdictMarkup(
        verdict[findings.selfCheck],
        check.outcome,
      )} <span class="about">${check.closest}</span></td>
      <th scope="row" data-value="${name}"><a href="#adapter=${anchor}">${name}</a>
        <span class="about" title="${program.long}">${kind}; ${program.short}</span></th>
      ${FIGURE_NAMES.map((figure) => {
        const estimate = findings.figures[figure];
        return html`<td data-label="${titles[figure]}" data-value="${estimate?.value ?? ""}">${
          figures[figure]
        }${dotMarkup(estimate, axes[figure])}${axisMarkup(figure, axes[figure], "narrow")}</td>`;
      })}
    </tr>
  `;
}

/** Draws a dot with its interval on the axis of its column. */
function dotMarkup(estimate: Estimate | null, axis: DotAxis | undefined): Html | string {
  if (estimate === null || axis === undefined) return "";
  const x = (value: number) => (axis.at(value) * WIDTH).toFixed(1), middle = HEIGHT / 2;
  return html`
    <svg class="dot" viewBox="0 0 ${WIDTH} ${HEIGHT}"
      aria-hidden="true">${axis.rule === undefined ? "" : html`
        <path class="rule" d="M${x(axis.rule)} 0V${HEIGHT}" />
      `}${estimate.interval === null ? "" : whisker(estimate.interval, x)}<circle cx="${x(
        estimate.value,
      )}" cy="${middle}" r="${RADIUS}"/></svg>
  `;
}

function whisker([low, high]: Interval, x: (value: number) => string): Html {
  const middle = HEIGHT / 2, [top, end] = [middle - CAP, middle + CAP];
  return html`
    <path class="whisker"
      d="M${x(low)} ${top}V${end}M${x(low)} ${middle}H${x(high)}M${x(high)} ${top}V${end}" />
  `;
}

/** Draws the labelled values of an axis; `narrow` ones are shown where there are no column heads. */
function axisMarkup(name: FigureName, axis: DotAxis | undefined, kind = ""): Html | string {
  if (axis === undefined) return "";
  return html`<svg class="axis ${kind}" viewBox="0 0 ${WIDTH} ${HEIGHT}" aria-hidden="true">${
    axis.ticks.map((value) => {
      const place = axis.at(value), anchor = place < 0.1 ? "start" : place > 0.9 ? "end" : "middle";
      const x = anchor === "middle" ? place : Math.round(place);
      return html`<text x="${(x * WIDTH).toFixed(1)}" y="12" text-anchor="${anchor}">${
        tick(name, value)
      }</text>`;
    })
  }</svg>`;
}

/** Formats a value of an axis with its unit. */
function tick(name: FigureName, value: number): string {
  const text = String(Number((name === "pagingCost" ? 100 * value : value).toPrecision(6)));
  return `${text.replace("-", "−")} ${UNITS[name] ?? ""}`;
}

/** Makes the table of verdicts: a row an adapter, a column a claim. */
function claimsTable({ words, claimWords, rows }: GalleryView): Html {
  const claims = rows[0]!.findings.claims.map(({ claim }) => claimWords.claims[claim]);
  return html`
    <div class="scroll tall" tabindex="0" role="region" aria-label="${words.page.claimsTitle}">
      <table class="gallery" id="gallery-claims">
        <thead>
          <tr>${[words.columns.adapter, ...claims].map((title) => heading(title, words.page.sort))}</tr>
        </thead>
        <tbody data-adapters>${rows.map(({ anchor, name, kind, findings }) =>
          html`
            <tr data-adapter="${anchor}">
              <th scope="row" data-value="${name}"><a href="#adapter=${anchor}">${name}</a>
                <span class="about">${kind}</span></th>
              ${findings.claims.map(({ verdict }, i) =>
                html`<td data-label="${claims[i]!}" data-value="${verdict}">${
                  verdictMarkup(verdict, claimWords.verdicts[verdict])
                }</td>`
              )}
            </tr>
          `
        )}</tbody>
      </table>
    </div>
  `;
}
