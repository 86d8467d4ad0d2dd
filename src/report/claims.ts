/**
 * The verdicts on the textbooks' claims, in words.
 *
 * @module
 */
import {
  CLAIMS,
  claimsOf,
  type ClaimVerdict,
  type Evidence,
  PROPORTIONAL,
  RANGE,
} from "../measure/findings/claims.ts";
import { findStrategy } from "../kv/registry.ts";
import type { Growth } from "../measure/statistics/growth.ts";
import type { Interval } from "../measure/statistics/bootstrap.ts";
import { overviewCells } from "../measure/findings/overview.ts";
import type { BenchResult } from "../measure/record/result.ts";
import { saySettings, WORK_KEYS } from "./labels.ts";
import { saidQualityClaims } from "./quality_claims.ts";
import { claimLine, type SaidClaim } from "./said_claim.ts";
import { formatBytes, formatMs } from "./units.ts";

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

function sayEvidence(evidence: Evidence, verdict: ClaimVerdict, metadata: boolean): string {
  switch (evidence.kind) {
    case "absent":
      return `${evidence.strategies.join(" and ")} did not run`;
    case "one token":
      return "one new token has no decode phase";
    case "memory": {
      const [first, ...others] = evidence.peaks.map(({ strategy, bytes, tableBytes }) =>
        `${formatBytes(bytes)} with ${strategy}${
          metadata ? `, ${formatBytes(tableBytes)} of it tables,` : ""
        }`
      );
      return `peak ${first} against ${others.join(" and ")}`.replace(/,$/, "");
    }
    case "time": {
      const against = evidence.against.map(({ strategy, ms, ratio }) => {
        const range = ratio.interval ? ` (${sayInterval(ratio.interval)})` : "";
        return `${formatMs(ms)} with ${strategy}, a ratio of ${ratio.ratio.toFixed(3)}${range}`;
      });
      const enough = evidence.against.every(({ ratio }) => ratio.enough);
      const why = verdict !== "not shown by this run"
        ? ""
        : enough
        ? ": the intervals are too wide to tell"
        : ": too few runs to tell";
      return `total ${formatMs(evidence.ms)} with ${evidence.strategy} against ${
        against.join(" and ")
      }${why}`;
    }
    case "growth":
      return sayGrowth(evidence, verdict);
  }
}

function sayGrowth(
  { without, strategy, cached }: Evidence & { kind: "growth" },
  verdict: ClaimVerdict,
): string {
  const { from, to } = without;
  const figures = `a token takes ${sayExponent(without)} without a cache and ${sayExponent(cached)} with ` +
    `${strategy}, from n = ${from} to ${to}`;
  if (verdict !== "not shown by this run") return figures;
  if (to < RANGE * from) {
    return `${figures}: the contexts are too close: expected lengths from n to at least ${RANGE} n, as with --sweep ` +
      "prompt-tokens=16,64,256";
  }
  if (without.interval === null || cached.interval === null) return `${figures}: too few runs to tell`;
  if (without.interval[0] < PROPORTIONAL) {
    return `${figures}: fixed costs may hide the growth; use longer contexts`;
  }
  return `${figures}: the intervals are too wide to tell`;
}

function sayExponent({ exponent, interval }: Growth): string {
  return `n^${fixed(exponent, 2)}${interval ? ` (${sayInterval(interval, 2)})` : ""}`;
}

function sayInterval(interval: Interval, digits = 3): string {
  const [low, high] = interval.map((end) => fixed(end, digits));
  return low!.startsWith("-") || high!.startsWith("-") ? `${low} to ${high}` : `${low}–${high}`;
}

/** Formats a number with a fixed number of decimals, and no sign before a zero. */
function fixed(value: number, digits: number): string {
  return value.toFixed(digits).replace(/^-(?=0\.0*$)/, "");
}
