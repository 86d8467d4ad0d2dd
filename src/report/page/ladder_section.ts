/** A ladder's part of the report page, in a language. */
import type { LadderResult } from "../../measure/ladder/ladder_result.ts";
import type { Figure } from "../figures/figure.ts";
import { type LadderView, ladderView, type RungView } from "../ladder/view.ts";
import { sayIn } from "../say.ts";
import { type Html, html } from "./html.ts";
import { facts } from "./facts.ts";
import { claimsTable, figureMarkup, type Placed, type Section } from "./sections.ts";

/** Makes the section of a ladder. */
export function ladderSection(
  result: LadderResult,
  figures: readonly Figure[],
  { lang }: Placed,
): Omit<Section, "figures"> {
  const t = sayIn(lang), view = ladderView(result, t), { published } = view;
  const { environment, command, created } = result;
  const body = html`
    <p class="faint">${view.heading}, ${created.slice(0, 10)}</p>
    <p class="answer">${view.answer}</p>
    ${view.cautions.length === 0
      ? ""
      : html`<ul class="cautions">${view.cautions.map((text) => html`<li>${t`Caution: ${text}`}</li>`)}</ul>`}
    <div class="figures wide">${figures.map((each) => figureMarkup(each, t))}</div>
    <h3>${t`The rungs`}</h3>
    ${rungTable(view)}
    <ul>${view.sentences.map((text) => html`<li>${text}</li>`)}</ul>
    <h3>${t`Beside a published run`}</h3>
    <p>${published.said}</p>
    <ul>${published.differences.map((text) => html`<li>${text}</li>`)}</ul>
    ${claimsTable(view.claims, view.claimsNote, t)}
    ${facts(environment, command, [], t)}
  `;
  const title = t`From a notebook's loop to a serving engine`;
  return { title, pageTitle: title, body };
}

/** Makes the table of the rungs, with the whole and the product below them. */
function rungTable(
  { titles, rungs, whole, product }: LadderView,
): Html {
  const row = ({ label, changes, time, gain, peak, published }: RungView) =>
    html`
      <tr>
        <th scope="row">${label}</th>
        <td class="number">${time}</td>
        <td class="number">${gain}</td>
        <td class="number">${peak}</td>
        <td class="number">${published === undefined ? "" : published.msPerToken}</td>
        <td class="number">${published === undefined ? "" : published.peakMb}</td>
        <td class="long">${changes}</td>
      </tr>
    `;
  const sum = (label: string, factor: string) =>
    html`
      <tr>
        <th scope="row">${label}</th>
        <td></td>
        <td class="number">${factor}</td>
        <td colspan="4"></td>
      </tr>
    `;
  const heads = [titles.msPerToken, titles.factor, titles.peak, titles.published, titles.publishedPeak];
  return html`
    <div class="scroll tall" tabindex="0" role="region" aria-label="${titles.rung}">
      <table class="rungs">
        <thead>
          <tr>
            <th scope="col">${titles.rung}</th>
            ${heads.map((text) => html`<th scope="col" class="number">${text}</th>`)}
            <th scope="col">${titles.changes}</th>
          </tr>
        </thead>
        <tbody>${rungs.map(row)}${sum(titles.whole, whole)}${sum(titles.product, product)}</tbody>
      </table>
    </div>
  `;
}
