/**
 * The part of an arena that a contiguous cache reserves for a sequence before it runs, as the baselines of the
 * PagedAttention paper do (Kwon et al. 2023, section 6.1). Host only.
 */
import type { Lengths } from "../policy.ts";

/** The policies, in the order of reports. */
export const RESERVATION_NAMES = ["max", "pow2", "oracle"] as const;
/** A reservation policy. */
export type ReservationName = (typeof RESERVATION_NAMES)[number];

/**
 * Slots that a policy reserves for one sequence, at most `nCtx`:
 *
 * - `max`: `nCtx`, since the sequence might become that long;
 * - `pow2`: the prompt, and the new tokens rounded up to a power of two: "over-reserves the space for outputs by at
 *   most 2×";
 * - `oracle`: the prompt and the new tokens, which no real system knows beforehand.
 */
export function reservedTokens(
  policy: ReservationName,
  { promptTokens, newTokens }: Lengths,
  nCtx: number,
): number {
  switch (policy) {
    case "max":
      return nCtx;
    case "pow2":
      return Math.min(nCtx, promptTokens + 2 ** Math.ceil(Math.log2(Math.max(1, newTokens))));
    case "oracle":
      return Math.min(nCtx, promptTokens + newTokens);
  }
}
