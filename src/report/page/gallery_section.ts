/**
 * The part of the report page for results of many adapters: a row an adapter, the verdicts on claims below it, and each
 * result in full. `gallery_client.ts` sorts and filters it; without a script all of it is there.
 */
import type { Estimate } from "../../measure/findings/adapters.ts";
import type { Interval } from "../../measure/statistics/bootstrap.ts";
import { type DotAxis, dotAxis } from "../gallery/axis.ts";
import {
  FIGURE_AXES,
  FIGURE_NAMES,
  type FigureName,
  type GalleryRow,
  type GalleryView,
} from "../gallery/view.ts";
import { inWords, type Say } from "../lang.ts";
import { type Html, html } from "./html.ts";
import { verdictMarkup } from "./sections.ts";

/** Width of a column of dots, and height of its rows, in the units of its picture. */
const WIDTH = 150;
const HEIGHT = 16;
/** Radius of a dot, and height of the ends of an interval. */
const RADIUS = 4.5;
const CAP = 4;

const UNITS: Readonly<Partial<Record<FigureName, string>>> = {
  cacheGain: "×",
  pagingCost: "%",
  tpotMs: "ms",
};

/** Markup of the tables, without title. */
export function galleryBody(view: GalleryView): Html {
  const { t, cautions } = view;
  return html`
    <p class="answer">${view.heading}</p>
    ${cautions.length === 0
      ? ""
      : html`<ul class="cautions">${cautions.map((text) => html`<li>${t`Caution: ${text}`}</li>`)}</ul>`}
    <div class="filter" role="search" hidden>
      <label>${t`Show adapters with`} <input type="search" placeholder="${t`part of a name, software, hardware, Vulkan, a commit …`}"></label>
      <span class="count" role="status" data-shown="${t`shown`}" data-none="${t`No adapter has all of these words.`}"></span>
      <a href="#adapter=">${t`Show all`}</a>
    </div>
    ${figuresTable(view)}
    <p class="faint">${t`A dot is a median, its line the 95 % interval; all dots of a column stand on one axis. Where the line crosses
      the rule, nothing is shown. A click on a heading sorts, one on an adapter shows it alone, under a link to share.`}</p>
    <h3>${t`Do the textbook claims hold, adapter by adapter?`}</h3>
    ${claimsTable(view)}
  `;
}

/** Makes the list of full results, in the order of the rows. */
export function galleryDetails({ t, rows }: GalleryView, bodyOf: (row: GalleryRow) => Html): Html {
  return html`
    <section>
      <h2>${t`Each result in full`}</h2>
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

function figuresTable({ t, titles, rows }: GalleryView): Html {
  const axes = Object.fromEntries(FIGURE_NAMES.map((name) => [
    name,
    FIGURE_AXES[name] && dotAxis(rows.map(({ findings }) => findings.figures[name]), FIGURE_AXES[name]),
  ])) as Readonly<Record<FigureName, DotAxis | undefined>>;
  return html`
    <div class="scroll tall" tabindex="0" role="region" aria-label="${t`Adapters`}">
      <table class="gallery" id="gallery">
        <thead>
          <tr>
            ${heading(titles.check, t)}
            ${heading(titles.adapter, t)}
            ${FIGURE_NAMES.map((name) => heading(titles[name], t, axisMarkup(name, axes[name])))}
          </tr>
        </thead>
        <tbody data-adapters>${rows.map((row) => figuresRow(row, titles, axes))}</tbody>
      </table>
    </div>
  `;
}

/** Makes the head of a column that can be sorted by. */
function heading(title: string, t: Say, axis: Html | string = ""): Html {
  return html`
    <th
      scope="col"><button type="button" aria-label="${t`Sort by: ${title}`}">${title}</button>${axis}</th>
  `;
}

function figuresRow(
  { anchor, name, kind, program, search, check, figures, findings }: GalleryRow,
  titles: GalleryView["titles"],
  axes: Readonly<Record<FigureName, DotAxis | undefined>>,
): Html {
  const verdict = {
    "right": "holds",
    "wrong": "does not hold",
    "not recorded": "not shown by this run",
  } as const;
  return html`
    <tr data-adapter="${anchor}" data-search="${search}">
      <td data-label="${titles.check}" data-value="${findings.selfCheck}">${verdictMarkup(
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
function claimsTable({ t, titles, claims, rows }: GalleryView): Html {
  return html`
    <div class="scroll tall" tabindex="0" role="region" aria-label="${t`Do the textbook claims hold, adapter by adapter?`}">
      <table class="gallery" id="gallery-claims">
        <thead>
          <tr>${[titles.adapter, ...claims].map((title) => heading(title, t))}</tr>
        </thead>
        <tbody data-adapters>${rows.map(({ anchor, name, kind, findings }) =>
          html`
            <tr data-adapter="${anchor}">
              <th scope="row" data-value="${name}"><a href="#adapter=${anchor}">${name}</a>
                <span class="about">${kind}</span></th>
              ${findings.claims.map(({ verdict }, i) =>
                html`<td data-label="${claims[i]!}" data-value="${verdict}">${
                  verdictMarkup(verdict, inWords(verdict, t))
                }</td>`
              )}
            </tr>
          `
        )}</tbody>
      </table>
    </div>
  `;
}
