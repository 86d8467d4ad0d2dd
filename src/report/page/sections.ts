/** The parts of the report page. */
import { answersOf } from "../answer.ts";
import type { PaperResult } from "../../simulate/paper/paper_result.ts";
import type { ProfileResult } from "../../measure/profile/profile_result.ts";
import type { ClaimVerdict } from "../../measure/findings/claims.ts";
import type { BenchResult } from "../../measure/record/result.ts";
import { claimsNote, saidClaims } from "../claims.ts";
import type { Figure, FigureTable } from "../figures/figure.ts";
import { inWords, type Lang, type Say } from "../lang.ts";
import { CLAIMS_TITLE, type SaidClaim } from "../said_claim.ts";
import { sayIn } from "../say.ts";
import { shortRows } from "../rows.ts";
import { startKind } from "../start_words.ts";
import { cautionsIn, meaningOf } from "../sentences.ts";
import { throughputFigure } from "../figures/load.ts";
import { loadHeading } from "../load_table.ts";
import type { LoadResult } from "../../load/load_result.ts";
import type { ServingResult, ServingSetup } from "../../simulate/serving_result.ts";
import { servingNotes, servingParts } from "../serving_table.ts";
import { formatCount } from "../units.ts";
import { describe, facts, weightsOf } from "./facts.ts";
import { type Html, html } from "./html.ts";

/** A result's part of the page, and the charts that are drawn in it. */
export interface Section {
  readonly title: string;
  /** Title of a page with this section alone. Default: made of the title. */
  readonly pageTitle?: string;
  /** Markup without the title. */
  readonly body: Html;
  /** Charts, with ids that no other section has. */
  readonly figures: readonly Figure[];
}

/** The place and the language of a section. */
export interface Placed {
  /** Begins its ids. */
  readonly prefix: string;
  readonly lang: Lang;
}

/** A section without its charts. */
type SectionText = Omit<Section, "figures">;

/** Makes the section of a bench result. */
export function benchSection(
  result: BenchResult,
  figures: readonly Figure[],
  { prefix, lang }: Placed,
): SectionText {
  const { model, environment, command, created, start } = result;
  const t = sayIn(lang), { head, rows } = shortRows([result], t);
  const measured = result.cells.length > 0;
  const answers = measured ? answersOf(result, t) : [];
  const shown = answers.flatMap(({ figure }) => figures.find(({ id }) => id === `${prefix}${figure}`) ?? []);
  // Those about the whole machine stand by the answer, the others with the details.
  const [below, beside] = [true, false].map((isDetail) =>
    cautionsIn(result, t).filter(({ kind }) => (kind === "rushed") === isDetail)
      .map(({ text }) => t`Caution: ${text}`)
  ) as [string[], string[]];
  const parameters = t`${formatCount(model.n_parameters)} parameters`;
  const synthetic = model.weights.source === "synthetic" ? [t`synthetic weights`] : [];
  const of = [parameters, ...synthetic, describe(environment, t), created.slice(0, 10)].join(t`, `);
  const body = html`
    <p class="faint">${of}${start === null ? "" : html`
      <span class="tag">${startKind(start, t)}</span>
    `}</p>
    ${answers.length === 0 ? "" : answerMarkup(answers, shown, t)}
    <p class="faint">${beside.join(" ")}</p>
    ${measured
      ? claimsTable(saidClaims(result, t), claimsNote(result, t), t)
      : html`<p>${t`Nothing is measured yet.`}</p>`}
    ${measured
      ? html`<h3>${t`All cells`}</h3>${
        tableMarkup(`${prefix}cells`, t`Medians ± half of their 95 % intervals`, { head, rows }, t)
      }`
      : ""}
    <h3>${t`What the figures say`}</h3>
    <ul>${[...meaningOf(result, t), ...below].map((text) => html`<li>${text}</li>`)}</ul>
    <h3>${t`Charts`}</h3>
    <div class="figures">${figures.filter((each) => !shown.includes(each)).map((each) =>
      figureMarkup(each, t)
    )}</div>
    ${facts(environment, command, [[t`weights`, weightsOf(result, t)]], t)}
  `;
  return { title: model.name, body };
}

/** Makes the numbers that answer the question, each above the chart that shows it. */
function answerMarkup(answers: ReturnType<typeof answersOf>, figures: readonly Figure[], t: Say): Html {
  return html`
    <div class="numbers">${answers.map(({ value, meaning }, i) =>
      html`<div><p class="number"><strong>${value}</strong> ${meaning}</p>${
        figures[i] === undefined ? "" : figureMarkup(figures[i], t)
      }</div>`
    )}</div>
  `;
}

/** Makes the section of a profile. */
export function profileSection(
  result: ProfileResult,
  figures: readonly Figure[],
  { lang }: Placed,
): SectionText {
  const t = sayIn(lang), { environment, weights_dtype: weights, kv_dtype: kv, created, command } = result;
  const types = t`weights ${weights}, K/V ${kv}`;
  const body = html`
    <p class="faint">${[describe(environment, t), types, created.slice(0, 10)].join(t`, `)}</p>
    <div class="figures">${figures.map((each) => figureMarkup(each, t))}</div>
    ${facts(environment, command, [], t)}
  `;
  return { title: t`${result.model}, profile of ${result.strategy}`, body };
}

/** Makes the section of the paper's views. */
export function paperSection(result: PaperResult, figures: readonly Figure[], { lang }: Placed): SectionText {
  const t = sayIn(lang);
  const body = html`
    <p class="faint">${saySetup(result, t)}</p>
    <p>${t`Compared with the figures of Kwon et al. 2023, arXiv 2309.06180.`}</p>
    <div class="figures">${figures.map((each) => figureMarkup(each, t))}</div>
  `;
  return { title: t`Comparisons of the PagedAttention paper`, body };
}

/** Makes the section of a serving simulation. */
export function servingSection(
  result: ServingResult,
  figures: readonly Figure[],
  { lang }: Placed,
): SectionText {
  const t = sayIn(lang);
  const body = html`
    <p class="faint">${saySetup(result, t)}</p>
    <ul>${servingNotes(result, t).map((text) => html`<li>${text}</li>`)}</ul>
    <div class="figures">${figures.map((each) => figureMarkup(each, t))}</div>
  `;
  return { title: t`${result.model.name}, many requests`, body };
}

/** Makes the section of a load test. */
export function loadSection(result: LoadResult, figures: readonly Figure[], { lang }: Placed): SectionText {
  const t = sayIn(lang), { created, kvbench, server } = result;
  const heading = loadHeading(result, t).replaceAll("\n", t`; `);
  const body = html`
    <p class="faint">${t`${heading}; kvbench ${kvbench}, ${created.slice(0, 10)}`}</p>
    <div class="figures">${figures.map((each) => figureMarkup(each, t))}</div>
  `;
  return { title: t`${server.model}, load test`, body };
}

/** Makes the section that sets several load tests side by side. */
export function loadsSection(results: readonly LoadResult[], lang: Lang): Section {
  const t = sayIn(lang), figure = throughputFigure(results, t);
  return {
    title: t`${results.length} load tests`,
    body: html`<div class="figures">${figureMarkup(figure, t)}</div>`,
    figures: [figure],
  };
}

/** Says what was served, and by what the times come. */
function saySetup(setup: ServingSetup, t: Say): string {
  const { clock, created, kvbench } = setup;
  const by = clock.source === "gpu"
    ? `${clock.adapter} (${clock.software ? t`a software adapter` : t`a hardware adapter`})`
    : t`times modelled on ${clock.gpu}, memory exact`;
  return t`${servingParts(setup, t).join(t`; `)}; ${by}, kvbench ${kvbench}, ${created.slice(0, 10)}`;
}

/** Makes words in the colour of a verdict. */
export function verdictMarkup(verdict: ClaimVerdict, words: string): Html {
  const colour = verdict === "not shown by this run" ? "not-shown" : verdict.replaceAll(" ", "-");
  return html`<span class="verdict ${colour}">${words}</span>`;
}

/** Makes a table of claims. */
export function claimsTable(claims: readonly SaidClaim[], note: string, t: Say): Html {
  const rows = claims.map(({ claim, verdict, figures }) =>
    html`
      <tr>
        <td>${claim}</td>
        <td>${verdictMarkup(verdict, inWords(verdict, t))}</td>
        <td>${figures}</td>
      </tr>
    `
  );
  return html`
    <h3>${inWords(CLAIMS_TITLE, t)}</h3>
    <table class="claims">
      <thead>
        <tr>${[t`claim`, t`verdict`, t`figures`].map((text) => html`<th scope="col">${text}</th>`)}</tr>
      </thead>
      <tbody>${rows}</tbody>
    </table>
    <p class="faint">${note}</p>
  `;
}

/** Makes a figure's part of the page. */
export function figureMarkup({ id, title, caption, table }: Figure, t: Say): Html {
  return html`
    <figure aria-labelledby="title-${id}">
      <h3 id="title-${id}">${title}</h3>
      <div class="chart">
        <canvas id="chart-${id}" role="img"
          aria-label="${t`Chart: ${title}. ${caption} The table below it shows the figures.`}"></canvas>
      </div>
      <figcaption>
        <p>${caption}</p>
      </figcaption>
      <details><summary>${t`Figures as a table`}</summary>${tableMarkup(
        `table-${id}`,
        title,
        table,
        t,
      )}</details>
    </figure>
  `;
}

/** Makes a table that may scroll and is reachable with the keyboard. */
function tableMarkup(id: string, caption: string, { head, rows }: FigureTable, t: Say): Html {
  const numeric = head.map((_, i) => rows.length > 0 && rows.every((row) => typeof row[i] !== "string"));
  const kind = (i: number) => numeric[i] ? "number" : "text";
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label="${t`Table: ${caption}`}">
      <table id="${id}">
        <caption>${caption}</caption>
        <thead>
          <tr>${head.map((text, i) => html`<th scope="col" class="${kind(i)}">${text}</th>`)}</tr>
        </thead>
        <tbody>${rows.map((row) =>
          html`<tr>${row.map((cell, i) => html`<td class="${kind(i)}">${exactText(cell)}</td>`)}</tr>\n`
        )}</tbody>
      </table>
    </div>
  `;
}

/** Formats a number with up to 7 digits, as exact as results are. */
export function exactText(cell: string | number | null): string {
  if (cell === null) return "–";
  if (typeof cell === "string") return cell;
  return Number.isInteger(cell) ? formatCount(cell) : String(Number(cell.toPrecision(7)));
}
