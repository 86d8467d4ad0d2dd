/**
 * The figures behind the verdict on a claim, in words of any language.
 *
 * @module
 */
import { type ClaimVerdict, type Evidence, PROPORTIONAL, RANGE } from "../measure/findings/claims.ts";
import type { Interval } from "../measure/statistics/bootstrap.ts";
import type { Growth } from "../measure/statistics/growth.ts";
import { formatBytes, formatMs } from "./units.ts";

/** The words of one language; figures come formatted. */
export interface EvidenceWords {
  /** Joins parts of a list. */
  readonly and: string;
  /** Stands between the ends of an interval where one is negative. */
  readonly to: string;
  absent(strategies: string): string;
  readonly oneToken: string;
  peak(strategy: string, bytes: string, tables: string | undefined): string;
  peaks(first: string, others: string): string;
  time(strategy: string, ms: string, ratio: string): string;
  times(strategy: string, ms: string, others: string): string;
  growth(of: Readonly<Record<"without" | "strategy" | "cached" | "from" | "to", string>>): string;
  /** Reasons for which a run does not tell. */
  readonly untold: Readonly<Record<"wide" | "few" | "close" | "hidden", string>>;
}

/** English. */
export const ENGLISH_EVIDENCE: EvidenceWords = {
  and: " and ",
  to: " to ",
  absent: (strategies) => `${strategies} did not run`,
  oneToken: "one new token has no decode phase",
  peak: (strategy, bytes, tables) => `${bytes} with ${strategy}${tables ? `, ${tables} of it tables,` : ""}`,
  peaks: (first, others) => `peak ${first} against ${others}`.replace(/,$/, ""),
  time: (strategy, ms, ratio) => `${ms} with ${strategy}, a ratio of ${ratio}`,
  times: (strategy, ms, others) => `total ${ms} with ${strategy} against ${others}`,
  growth: ({ without, strategy, cached, from, to }) =>
    `a token takes ${without} without a cache and ${cached} with ${strategy}, from n = ${from} to ${to}`,
  untold: {
    wide: ": the intervals are too wide to tell",
    few: ": too few runs to tell",
    close: ": the contexts are too close; use more --new-tokens",
    hidden: ": fixed costs may hide the growth; use longer contexts",
  },
};

/**
 * Says the figures behind a verdict.
 *
 * @param metadata True if a claim is about tables, which are then said.
 */
export function sayEvidence(
  evidence: Evidence,
  verdict: ClaimVerdict,
  metadata: boolean,
  words: EvidenceWords = ENGLISH_EVIDENCE,
): string {
  const told = verdict !== "not shown by this run";
  switch (evidence.kind) {
    case "absent":
      return words.absent(evidence.strategies.join(words.and));
    case "one token":
      return words.oneToken;
    case "memory": {
      const [first, ...others] = evidence.peaks.map(({ strategy, bytes, tableBytes }) =>
        words.peak(strategy, formatBytes(bytes), metadata ? formatBytes(tableBytes) : undefined)
      );
      return words.peaks(first!, others.join(words.and));
    }
    case "time": {
      const against = evidence.against.map(({ strategy, ms, ratio }) => {
        const range = ratio.interval ? ` (${sayInterval(ratio.interval, words)})` : "";
        return words.time(strategy, formatMs(ms), `${ratio.ratio.toFixed(3)}${range}`);
      });
      const enough = evidence.against.every(({ ratio }) => ratio.enough);
      const why = told ? "" : words.untold[enough ? "wide" : "few"];
      return `${words.times(evidence.strategy, formatMs(evidence.ms), against.join(words.and))}${why}`;
    }
    case "growth": {
      const { without, strategy, cached } = evidence, { from, to } = without;
      const figures = words.growth({
        without: sayExponent(without, words),
        strategy,
        cached: sayExponent(cached, words),
        from: String(from),
        to: String(to),
      });
      return told ? figures : `${figures}${words.untold[whyUntold(without, cached)]}`;
    }
  }
}

function whyUntold(without: Growth, cached: Growth): keyof EvidenceWords["untold"] {
  if (without.to < RANGE * without.from) return "close";
  if (without.interval === null || cached.interval === null) return "few";
  return without.interval[0] < PROPORTIONAL ? "hidden" : "wide";
}

function sayExponent({ exponent, interval }: Growth, words: EvidenceWords): string {
  return `n^${fixed(exponent, 2)}${interval ? ` (${sayInterval(interval, words, 2)})` : ""}`;
}

function sayInterval(interval: Interval, { to }: EvidenceWords, digits = 3): string {
  const [low, high] = interval.map((end) => fixed(end, digits));
  return low!.startsWith("-") || high!.startsWith("-") ? `${low}${to}${high}` : `${low}–${high}`;
}

/** Formats a number with a fixed number of decimals, and no sign before a zero. */
function fixed(value: number, digits: number): string {
  return value.toFixed(digits).replace(/^-(?=0\.0*$)/, "");
}
