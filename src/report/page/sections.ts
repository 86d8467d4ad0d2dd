/**
 * The parts of the report page.
 *
 * @module
 */
import { answersOf } from "../answer.ts";
import { BACKEND_TITLES } from "../../gpu/backend.ts";
import { sayKind } from "../adapter_kind.ts";
import type { Environment } from "../../measure/record/environment_schema.ts";
import type { PaperResult } from "../../simulate/paper/paper_result.ts";
import type { ProfileResult } from "../../measure/profile/profile_result.ts";
import type { BenchResult } from "../../measure/record/result.ts";
import { CLAIMS_TITLE, claimsNote, saidClaims } from "../claims.ts";
import type { Figure, FigureTable } from "../figures/figure.ts";
import { shortRows } from "../rows.ts";
import { startKind } from "../start_words.ts";
import { sentences } from "../sentences.ts";
import { throughputFigure } from "../figures/load.ts";
import { loadHeading } from "../load_table.ts";
import type { LoadResult } from "../../load/load_result.ts";
import type { ServingResult, ServingSetup } from "../../simulate/serving_result.ts";
import { servingHeading, servingNotes } from "../serving_table.ts";
import { formatCount } from "../units.ts";
import { type Html, html, type Part } from "./html.ts";

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

/** A section without its charts. */
type SectionText = Omit<Section, "figures">;

/** Makes the section of a bench result. */
export function benchSection(result: BenchResult, figures: readonly Figure[], prefix: string): SectionText {
  const { model, environment, command, created, start } = result;
  const { head, rows } = shortRows([result]);
  const measured = result.cells.length > 0;
  const answers = measured ? answersOf(result) : [];
  const shown = answers.flatMap(({ figure }) => figures.find(({ id }) => id === `${prefix}${figure}`) ?? []);
  const said = sentences(result);
  // Those about the whole machine stand by the answer, the others with the details.
  const cautions = said.filter((text) => text.startsWith("Caution:") && !text.includes("--max-seconds"));
  const body = html`
    <p class="faint">${formatCount(model.n_parameters)} parameters, ${model.weights.source === "synthetic"
      ? "synthetic weights, "
      : ""}${describe(environment)}, ${created.slice(0, 10)}${start === null
      ? ""
      : html`, <span class="tag">${startKind(start)}</span>`}</p>
    ${answers.length === 0 ? "" : answerMarkup(answers, shown)}
    <p class="faint">${cautions.join(" ")}</p>
    ${measured ? benchClaims(result) : html`<p>Nothing is measured yet.</p>`}
    ${measured
      ? html`<h3>All cells</h3>${
        tableMarkup(`${prefix}cells`, "Medians ± half of their 95 % intervals", { head, rows })
      }`
      : ""}
    <h3>What the figures say</h3>
    <ul>${said.filter((text) => !cautions.includes(text)).map((text) => html`<li>${text}</li>`)}</ul>
    <h3>Charts</h3>
    <div class="figures">${figures.filter((each) => !shown.includes(each)).map((each) =>
      figureMarkup(each)
    )}</div>
    ${facts(environment, command, [["weights", weightsOf(result)]])}
  `;
  return { title: model.name, body };
}

/** Makes the numbers that answer the question, each above the chart that shows it. */
function answerMarkup(answers: ReturnType<typeof answersOf>, figures: readonly Figure[]): Html {
  return html`
    <div class="numbers">${answers.map(({ value, meaning }, i) =>
      html`<div><p class="number"><strong>${value}</strong> ${meaning}</p>${
        figures[i] === undefined ? "" : figureMarkup(figures[i])
      }</div>`
    )}</div>
  `;
}

/** Makes the section of a profile. */
export function profileSection(result: ProfileResult, figures: readonly Figure[]): SectionText {
  const body = html`
    <p class="faint">${describe(result.environment)}, weights ${result.weights_dtype}, K/V ${result
      .kv_dtype}, ${result.created.slice(0, 10)}</p>
    <div class="figures">${figures.map((each) => figureMarkup(each))}</div>
    ${facts(result.environment, result.command, [])}
  `;
  return { title: `${result.model}, profile of ${result.strategy}`, body };
}

/** Makes the section of the paper's views. */
export function paperSection(result: PaperResult, figures: readonly Figure[]): SectionText {
  const body = html`
    <p class="faint">${saySetup(result)}</p>
    <p>Compared with the figures of Kwon et al. 2023, arXiv 2309.06180.</p>
    <div class="figures">${figures.map((each) => figureMarkup(each))}</div>
  `;
  return { title: "Comparisons of the PagedAttention paper", body };
}

/** Makes the section of a serving simulation. */
export function servingSection(result: ServingResult, figures: readonly Figure[]): SectionText {
  const body = html`
    <p class="faint">${saySetup(result)}</p>
    <ul>${servingNotes(result).map((text) => html`<li>${text}</li>`)}</ul>
    <div class="figures">${figures.map((each) => figureMarkup(each))}</div>
  `;
  return { title: `${result.model.name}, many requests`, body };
}

/** Makes the section of a load test. */
export function loadSection(result: LoadResult, figures: readonly Figure[]): SectionText {
  const { created, kvbench, server } = result;
  const body = html`
    <p class="faint">${loadHeading(result).replaceAll("\n", "; ")}; kvbench ${kvbench}, ${created.slice(
      0,
      10,
    )}</p>
    <div class="figures">${figures.map((each) => figureMarkup(each))}</div>
  `;
  return { title: `${server.model}, load test`, body };
}

/** Makes the section that sets several load tests side by side. */
export function loadsSection(results: readonly LoadResult[]): Section {
  const figure = throughputFigure(results);
  return {
    title: `${results.length} load tests`,
    body: html`<div class="figures">${figureMarkup(figure)}</div>`,
    figures: [figure],
  };
}

/** Says what was served, and by what the times come. */
function saySetup(setup: ServingSetup): string {
  const { clock, created, kvbench } = setup;
  const by = clock.source === "gpu"
    ? `${clock.adapter} (a ${clock.software ? "software" : "hardware"} adapter)`
    : `times modelled on ${clock.gpu}, memory exact`;
  return `${servingHeading(setup).replaceAll("\n", "; ")}; ${by}, kvbench ${kvbench}, ${
    created.slice(0, 10)
  }`;
}

function benchClaims(result: BenchResult): Html {
  return claimsTable(saidClaims(result).map((said) => ({ ...said, name: said.verdict })), {
    title: CLAIMS_TITLE,
    columns: ["claim", "verdict", "figures"],
    note: claimsNote(result),
  });
}

function describe({ adapter, kvbench, deno }: Environment): string {
  const kind = sayKind(adapter, "a hardware adapter", "a software adapter");
  return `${
    adapter.description || adapter.vendor || "an unnamed adapter"
  } (${kind}), kvbench ${kvbench}, Deno ${deno}`;
}

/** Makes a verdict in words; `name` is it in English, which selects its colour. */
export function verdictMarkup(name: string, verdict: string): Html {
  const colour = name === "not shown by this run" ? "not-shown" : name.replaceAll(" ", "-");
  return html`<span class="verdict ${colour}">${verdict}</span>`;
}

/** Makes a table of claims; `name` is the verdict in English. */
export function claimsTable(
  claims: readonly Readonly<Record<"claim" | "verdict" | "name" | "figures", string>>[],
  { title, columns, note }: {
    readonly title: string;
    readonly columns: readonly string[];
    readonly note: string;
  },
): Html {
  const rows = claims.map(({ claim, verdict, name, figures }) =>
    html`
      <tr>
        <td>${claim}</td>
        <td>${verdictMarkup(name, verdict)}</td>
        <td>${figures}</td>
      </tr>
    `
  );
  return html`
    <h3>${title}</h3>
    <table class="claims">
      <thead>
        <tr>${columns.map((text) => html`<th scope="col">${text}</th>`)}</tr>
      </thead>
      <tbody>${rows}</tbody>
    </table>
    <p class="faint">${note}</p>
  `;
}

/** Makes a figure's part of the page. */
export function figureMarkup(
  { id, title, caption, table }: Figure,
  summary = "Figures as a table",
): Html {
  return html`
    <figure aria-labelledby="title-${id}">
      <h3 id="title-${id}">${title}</h3>
      <div class="chart">
        <canvas id="chart-${id}" role="img"
          aria-label="Chart: ${title}. ${caption} The table below it shows the figures."></canvas>
      </div>
      <figcaption>
        <p>${caption}</p>
      </figcaption>
      <details><summary>${summary}</summary>${tableMarkup(`table-${id}`, title, table)}</details>
    </figure>
  `;
}

/** Makes a table that may scroll and is reachable with the keyboard. */
function tableMarkup(id: string, caption: string, { head, rows }: FigureTable): Html {
  const numeric = head.map((_, i) => rows.length > 0 && rows.every((row) => typeof row[i] !== "string"));
  const kind = (i: number) => numeric[i] ? "number" : "text";
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label="Table: ${caption}">
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

export function weightsOf({ model: { weights, weights_dtype } }: Pick<BenchResult, "model">): string {
  const origin = weights.source === "checkpoint"
    ? `SHA-256 ${weights.sha256}`
    : `synthetic, seed ${weights.seed}`;
  return `${weights_dtype}, ${origin}`;
}

/** Makes the table of where and how something was measured. */
export function facts(
  environment: Environment,
  command: readonly string[],
  more: readonly (readonly [string, string])[],
  summary = "Where and how it was measured",
): Html {
  const { adapter, cpu, load_average: load } = environment;
  const rows: (readonly [string, Part])[] = [
    ["command", html`<code>kvbench ${command.map(quoted).join(" ")}</code>`],
    ["adapter", adapter.description],
    ["backend", BACKEND_TITLES[adapter.backend]],
    ["features", adapter.features.join(", ") || "none"],
    ["CPU", `${cpu.model ?? "unknown"}, ${cpu.cores} cores`],
    ["load", load === null ? "unknown" : load.join(", ")],
    ["system", `${environment.os} ${environment.os_release ?? ""} ${environment.arch}`],
    ["kvbench", `${environment.kvbench}, commit ${environment.git_commit ?? "unknown"}`],
    ["Deno", `${environment.deno}, V8 ${environment.v8}`],
    ["kernels", `SHA-256 ${environment.kernels_sha256}`],
    ["kernel variants", JSON.stringify(environment.tuning)],
    ["fence", `${environment.fence.cost_us} µs, readback ${environment.fence.readback_ms} ms`],
    ...more,
  ];
  return html`
    <details>
      <summary>${summary}</summary>
      <table class="facts">
        <tbody>${rows.map(([name, value]) =>
          html`
            <tr>
              <th scope="row">${name}</th>
              <td>${value}</td>
            </tr>\\n
          `
        )}</tbody>
      </table>
    </details>
  `;
}

/** Quotes an argument for a POSIX shell. */
function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}
