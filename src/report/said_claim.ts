/**
 * A claim in words.
 *
 * @module
 */
import type { ClaimVerdict } from "../measure/findings/claims.ts";

/** A claim that was tested. */
export interface SaidClaim {
  readonly claim: string;
  readonly verdict: ClaimVerdict;
  /** The figures, or the reason why there are none. */
  readonly figures: string;
}

/** Says it in a line. */
export function claimLine({ claim, verdict, figures }: SaidClaim): string {
  return `- ${verdict.toUpperCase()}: ${claim} (${figures}).`;
}
