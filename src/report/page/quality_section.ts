/** The part of the report page about a quality record. */
import type { QualityResult } from "../../measure/quality/quality_result.ts";
import type { Figure } from "../figures/figure.ts";
import { sayIn } from "../say.ts";
import { saidQualityClaims } from "../quality_claims.ts";
import { qualityHeading, qualityTables } from "../quality_table.ts";
import { html } from "./html.ts";
import { facts, weightsOf } from "./facts.ts";
import { claimsTable, figureMarkup, type Placed, type Section } from "./sections.ts";

/** Makes the section. */
export function qualitySection(
  result: QualityResult,
  figures: readonly Figure[],
  { lang }: Placed,
): Omit<Section, "figures"> {
  const { environment, command, model } = result, t = sayIn(lang);
  const body = html`
    <p>${qualityHeading(result, t)}</p>
    ${claimsTable(saidQualityClaims(result.cells, t), "", t)}
    <pre>${qualityTables(result, t)}</pre>
    <div class="figures">${figures.map((each) => figureMarkup(each, t))}</div>
    ${facts(environment, command, [[t`weights`, weightsOf(result, t)]], t)}
  `;
  return { title: t`${model.name}, quality`, body };
}
