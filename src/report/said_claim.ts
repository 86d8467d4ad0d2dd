/** A claim in words. */
import { CLAIMS, type ClaimVerdict, type TestedClaim } from "../measure/findings/claims.ts";
import { sayEvidence } from "./evidence.ts";
import { inEnglish, inWords, type Say } from "./lang.ts";

/** Title of the verdicts. */
export const CLAIMS_TITLE = inEnglish`Do the textbook claims hold?`;

/** A claim that was tested. */
export interface SaidClaim {
  readonly claim: string;
  readonly verdict: ClaimVerdict;
  /** The figures, or the reason why there are none. */
  readonly figures: string;
}

/**
 * Says a claim that was tested.
 *
 * @param tooClose The remedy where contexts are too close to tell. Default: more new tokens.
 */
export function sayClaim({ claim, verdict, evidence }: TestedClaim, t: Say, tooClose?: string): SaidClaim {
  const figures = sayEvidence(evidence, { verdict, metadata: claim === "pagedMemory", t, tooClose });
  return { claim: inWords(CLAIMS[claim], t), verdict, figures };
}

/** Says it in a line. */
export function claimLine({ claim, verdict, figures }: SaidClaim, t: Say = inEnglish): string {
  return `- ${t`${inWords(verdict, t).toUpperCase()}: ${claim} (${figures}).`}`;
}
