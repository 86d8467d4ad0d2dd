/** The figures behind the verdict on a claim, in words. */
import { type ClaimVerdict, type Evidence, PROPORTIONAL, RANGE } from "../measure/findings/claims.ts";
import type { Interval } from "../measure/statistics/bootstrap.ts";
import type { Growth } from "../measure/statistics/growth.ts";
import type { Say } from "./lang.ts";
import { formatBytes, formatMs } from "./units.ts";

interface EvidenceOptions {
  readonly verdict: ClaimVerdict;
  /** True if a claim is about tables, which are then said. */
  readonly metadata: boolean;
  readonly t: Say;
  /** The remedy where contexts are too close to tell. Default: more new tokens. */
  readonly tooClose?: string | undefined;
}

/** Says the figures behind a verdict. */
export function sayEvidence(
  evidence: Evidence,
  { verdict, metadata, t, tooClose }: EvidenceOptions,
): string {
  const told = verdict !== "not shown by this run";
  const list = (parts: readonly string[]) => parts.reduce((all, part) => t`${all} and ${part}`);
  const wide = () => t`: the intervals are too wide to tell`, few = () => t`: too few runs to tell`;
  switch (evidence.kind) {
    case "absent":
      return t`${list(evidence.strategies)} did not run`;
    case "one token":
      return t`one new token has no decode phase`;
    case "memory": {
      const [first, ...others] = evidence.peaks.map(({ strategy, bytes, tableBytes }) =>
        metadata
          ? t`${formatBytes(bytes)} with ${strategy}, ${formatBytes(tableBytes)} of it tables,`
          : t`${formatBytes(bytes)} with ${strategy}`
      );
      return t`peak ${first!} against ${list(others)}`.replace(/,$/, "");
    }
    case "time": {
      const against = evidence.against.map(({ strategy, ms, ratio: { ratio, interval } }) => {
        const range = interval ? ` (${sayInterval(interval, t)})` : "";
        return t`${formatMs(ms)} with ${strategy}, a ratio of ${`${ratio.toFixed(3)}${range}`}`;
      });
      const why = told ? "" : evidence.against.every(({ ratio }) => ratio.enough) ? wide() : few();
      return t`total ${formatMs(evidence.ms)} with ${evidence.strategy} against ${list(against)}${why}`;
    }
    case "growth": {
      const { without, strategy, cached } = evidence, { from, to } = without;
      const figures = t`a token takes ${sayExponent(without, t)} without a cache and ${
        sayExponent(cached, t)
      } with ${strategy}, from n = ${from} to ${to}`;
      if (told) return figures;
      if (to < RANGE * from) {
        return figures + (tooClose ?? t`: the contexts are too close; use more --new-tokens`);
      }
      if (without.interval === null || cached.interval === null) return figures + few();
      return without.interval[0] < PROPORTIONAL
        ? figures + t`: fixed costs may hide the growth; use longer contexts`
        : figures + wide();
    }
  }
}

function sayExponent({ exponent, interval }: Growth, t: Say): string {
  return `n^${fixed(exponent, 2)}${interval ? ` (${sayInterval(interval, t, 2)})` : ""}`;
}

function sayInterval(interval: Interval, t: Say, digits = 3): string {
  const [low, high] = interval.map((end) => fixed(end, digits)) as [string, string];
  return low.startsWith("-") || high.startsWith("-") ? t`${low} to ${high}` : `${low}–${high}`;
}

/** Formats a number with a fixed number of decimals, and no sign before a zero. */
function fixed(value: number, digits: number): string {
  return value.toFixed(digits).replace(/^-(?=0\.0*$)/, "");
}
