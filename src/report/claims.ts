/**
 * The verdicts on the textbooks' claims, in words.
 *
 * @module
 */
import { CLAIMS, claimsOf } from "../measure/findings/claims.ts";
import { findStrategy } from "../kv/registry.ts";
import { overviewCells } from "../measure/findings/overview.ts";
import type { BenchResult } from "../measure/record/result.ts";
import { sayEvidence } from "./evidence.ts";
import { saySettings, WORK_KEYS } from "./labels.ts";
import { saidQualityClaims } from "./quality_claims.ts";
import { claimLine, type SaidClaim } from "./said_claim.ts";

/** Title of the section. */
export const CLAIMS_TITLE = "Do the textbook claims hold?";

/** Returns the claims with their verdicts; none where nothing was measured. */
export function saidClaims(result: BenchResult): SaidClaim[] {
  if (result.cells.length === 0) return [];
  const tested = claimsOf(result).map(({ claim, verdict, evidence }) => ({
    claim: CLAIMS[claim],
    verdict,
    figures: sayEvidence(evidence, verdict, claim === "pagedMemory"),
  }));
  return [...tested, ...saidQualityClaims(result.quality)];
}

/** Says what the claims were tested on, and that serve-sim shows what paging is for. */
export function claimsNote(result: BenchResult): string {
  const [cell] = overviewCells(result);
  const tested = `Tested on ${saySettings(cell!.settings, WORK_KEYS)}.`;
  const shares = result.cells.some(({ strategy }) => findStrategy(strategy)?.traits.shares);
  return shares
    ? `${tested} The purpose of paging does not show in a run of equal requests that begin and end together: blocks ` +
      "leave memory for other requests, so that more of them run at once. serve-sim shows it."
    : tested;
}

/** Returns the section as lines of text. */
export function claimLines(result: BenchResult): string[] {
  const claims = saidClaims(result);
  if (claims.length === 0) return [];
  return [
    CLAIMS_TITLE,
    ...claims.map(claimLine),
    claimsNote(result),
  ];
}
