/**
 * The part of the report page about a quality record.
 *
 * @module
 */
import type { QualityResult } from "../../measure/quality/quality_result.ts";
import { CLAIMS_TITLE } from "../claims.ts";
import type { Figure } from "../figures/figure.ts";
import { saidQualityClaims } from "../quality_claims.ts";
import { qualityHeading, qualityTables } from "../quality_table.ts";
import { html } from "./html.ts";
import { claimsTable, facts, figureMarkup, type Section, weightsOf } from "./sections.ts";

/** Makes the section. */
export function qualitySection(result: QualityResult, figures: readonly Figure[]): Omit<Section, "figures"> {
  const { environment, command, model } = result;
  const claims = saidQualityClaims(result.cells).map((said) => ({ ...said, name: said.verdict }));
  const body = html`
    <p>${qualityHeading(result)}</p>
    ${claimsTable(claims, { title: CLAIMS_TITLE, columns: ["claim", "verdict", "figures"], note: "" })}
    <pre>${qualityTables(result)}</pre>
    <div class="figures">${figures.map((each) => figureMarkup(each))}</div>
    ${facts(environment, command, [["weights", weightsOf(result)]])}
  `;
  return { title: `${model.name}, quality`, body };
}
