/** The verdicts of a bench result on the textbooks' claims, in words. */
import { claimsOf, RANGE } from "../measure/findings/claims.ts";
import { findStrategy } from "../kv/registry.ts";
import { overviewCells } from "../measure/findings/overview.ts";
import type { BenchResult } from "../measure/record/result.ts";
import { inEnglish, type Say } from "./lang.ts";
import { saySettings, WORK_KEYS } from "./labels.ts";
import { saidQualityClaims } from "./quality_claims.ts";
import { claimLine, CLAIMS_TITLE, type SaidClaim, sayClaim } from "./said_claim.ts";

/** Returns the claims with their verdicts; none where nothing was measured. */
export function saidClaims(result: BenchResult, t: Say = inEnglish): SaidClaim[] {
  if (result.cells.length === 0) return [];
  const tooClose =
    t`: the contexts are too close: expected lengths from n to at least ${RANGE} n, as with --sweep
    prompt-tokens=16,64,256`;
  return [
    ...claimsOf(result).map((tested) => sayClaim(tested, t, tooClose)),
    ...saidQualityClaims(result.quality, t),
  ];
}

/** Says what the claims were tested on, and that serve-sim shows what paging is for. */
export function claimsNote(result: BenchResult, t: Say = inEnglish): string {
  const [cell] = overviewCells(result);
  const tested = t`Tested on ${saySettings(cell!.settings, WORK_KEYS, t)}.`;
  const shares = result.cells.some(({ strategy }) => findStrategy(strategy)?.traits.shares);
  return shares
    ? t`${tested} The purpose of paging does not show in a run of equal requests that begin and end
      together: blocks leave memory for other requests, so that more of them run at once. serve-sim shows it.`
    : tested;
}

/** Returns the section as lines of text. */
export function claimLines(result: BenchResult): string[] {
  const claims = saidClaims(result);
  if (claims.length === 0) return [];
  return [CLAIMS_TITLE, ...claims.map((claim) => claimLine(claim)), claimsNote(result)];
}
