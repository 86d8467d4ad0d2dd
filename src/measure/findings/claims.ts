/**
 * The textbooks' claims about KV caches, tested on a run. A claim holds, does not hold, or is not shown by this run:
 * where a strategy is missing, intervals are too wide, or contexts are too short. The report has the words.
 */
import type { KvTraits } from "../../kv/policy.ts";
import { findStrategy, strategies } from "../../kv/registry.ts";
import { type Growth, growthOf } from "../statistics/growth.ts";
import { lengthsOf, overviewCells } from "./overview.ts";
import { type Ratio, ratioOf, verdictOf } from "../statistics/ratio.ts";
import type { BenchResult } from "../record/result.ts";
import { median } from "../statistics/statistics.ts";

/** The claims, by name. */
export const CLAIMS = {
  leastMemory: "Without a cache, memory is least",
  cacheMemory: "A cache takes clearly more memory",
  cacheLatency: "A cache makes latency clearly lower",
  pagedMemory: "Paging takes still more memory, for its metadata",
  pagedLatency: "Paging has the lowest latency",
  complexity: "A cache brings the time of n tokens from O(n²) down to O(n)",
} as const;

export type ClaimName = keyof typeof CLAIMS;

/** The verdicts of a run on a claim. */
export const CLAIM_VERDICTS = ["holds", "does not hold", "not shown by this run"] as const;
/** The verdict of a run on a claim. */
export type ClaimVerdict = (typeof CLAIM_VERDICTS)[number];

/** The figures behind a verdict. */
export type Evidence =
  | {
    /** Strategies of the claim are missing. */
    readonly kind: "absent";
    readonly strategies: readonly string[];
  }
  | {
    /** One new token has no decode phase. */
    readonly kind: "one token";
  }
  | {
    /** Peaks of GPU memory. */
    readonly kind: "memory";
    readonly peaks: readonly {
      readonly strategy: string;
      /** Peak of all GPU buffers. */
      readonly bytes: number;
      /** Bytes of uniforms, block tables and slot mappings among them. */
      readonly tableBytes: number;
    }[];
  }
  | {
    /** Times of whole requests. */
    readonly kind: "time";
    readonly strategy: string;
    readonly ms: number;
    /** Other strategies, and the ratio of the strategy's time to theirs. */
    readonly against: readonly {
      readonly strategy: string;
      readonly ms: number;
      readonly ratio: Ratio;
    }[];
  }
  | {
    /** Growth of the time of a token with the context. */
    readonly kind: "growth";
    readonly without: Growth;
    readonly strategy: string;
    readonly cached: Growth;
  };

/** A claim that was tested. */
export interface TestedClaim {
  readonly claim: ClaimName;
  readonly verdict: ClaimVerdict;
  readonly evidence: Evidence;
}

/** Smallest difference that is clear, a share. */
const CLEAR = 0.05;
/** Smallest exponent of a token's time that is proportional to the context, so that n tokens take O(n²). */
export const PROPORTIONAL = 0.75;
/** Largest exponent of a token's time that is constant, so that n tokens take O(n). */
const FLAT = 0.25;
/** Smallest ratio of the longest context to the shortest with which growth is judged. */
export const RANGE = 2;

/** The kinds of strategies that the claims are about, by traits. */
const KINDS = {
  none: ({ keeps }: KvTraits) => keeps === "nothing",
  cache: ({ keeps, shares }: KvTraits) => keeps === "all" && !shares,
  sharing: ({ keeps, shares }: KvTraits) => keeps === "all" && shares,
} as const;
/** A kind of strategies. */
export type Kind = keyof typeof KINDS;

/** Tells whether a strategy is known and of a kind. */
export function isOf(kind: Kind, strategy: string): boolean {
  const traits = findStrategy(strategy)?.traits;
  return traits !== undefined && KINDS[kind](traits);
}

/** A strategy's figures that claims are tested on. */
export interface ClaimGround {
  readonly strategy: string;
  readonly newTokens: number;
  /** Peak of all GPU buffers, and of tables. */
  readonly peakBytes: { readonly total: number; readonly tables: number };
  /** Times of whole requests, in ms. */
  readonly e2eMs: readonly number[];
  /** Growth of a token's time; null where it has none. */
  readonly growth: Growth | null;
}

/** The strategies of the claims, as far as they ran. */
interface ClaimGrounds {
  readonly none: ClaimGround | undefined;
  readonly cache: ClaimGround | undefined;
  readonly sharing: ClaimGround | undefined;
  /** A cache that `sharing` differs from in its addresses alone. Default: `cache`. */
  readonly besideSharing?: ClaimGround;
  /** Those that `sharing` is to be faster than. */
  readonly fasterThan: readonly ClaimGround[];
}

/** Tests every claim on the longest context of a result, and growth on all lengths that there are. */
export function claimsOf(result: Pick<BenchResult, "cells">): TestedClaim[] {
  const order = orderOfStrategies();
  const shown = overviewCells(result).toSorted((a, b) =>
    order.indexOf(a.strategy) - order.indexOf(b.strategy)
  ).map((cell): ClaimGround => ({
    strategy: cell.strategy,
    newTokens: cell.settings.new_tokens,
    peakBytes: cell.memory.peak_bytes,
    e2eMs: cell.e2e_ms.samples,
    growth: growthOf(lengthsOf(cell, result.cells)),
  }));
  const first = (kind: Kind) => shown.find(({ strategy }) => isOf(kind, strategy));
  return judgeClaims({
    none: first("none"),
    cache: first("cache"),
    sharing: first("sharing"),
    fasterThan: shown.filter(({ strategy }) => isOf("none", strategy) || isOf("cache", strategy)),
  });
}

/** Tests every claim. */
export function judgeClaims(grounds: ClaimGrounds): TestedClaim[] {
  const order = orderOfStrategies(), { none, cache, sharing, fasterThan } = grounds;
  const beside = grounds.besideSharing ?? cache;
  const test = (
    claim: ClaimName,
    kinds: readonly Kind[],
    judge: () => Omit<TestedClaim, "claim">,
  ): TestedClaim => {
    const absent = kinds.filter((kind) => grounds[kind] === undefined);
    if (absent.length === 0) return { claim, ...judge() };
    const names = absent.map((kind) => order.find((name) => isOf(kind, name))!);
    return { claim, verdict: "not shown by this run", evidence: { kind: "absent", strategies: names } };
  };
  return [
    test("leastMemory", ["none", "cache"], () => {
      const alike = sharing !== undefined && beside === cache ? [sharing] : [];
      return memory(
        [none!, cache!, ...alike],
        ([least = 0, ...others]) => others.every((bytes) => bytes > least),
      );
    }),
    test(
      "cacheMemory",
      ["none", "cache"],
      () => memory([cache!, none!], ([more = 0, less = 0]) => more > less * (1 + CLEAR)),
    ),
    test("cacheLatency", ["none", "cache"], () => latency(cache!, [none!], CLEAR)),
    test(
      "pagedMemory",
      ["cache", "sharing"],
      () =>
        memory(
          [sharing!, beside!],
          ([more = 0, less = 0]) => more > less && sharing!.peakBytes.tables > beside!.peakBytes.tables,
        ),
    ),
    test("pagedLatency", ["cache", "sharing"], () => latency(sharing!, fasterThan, 0)),
    test("complexity", ["none", cache ? "cache" : "sharing"], () => growth(none!, (cache ?? sharing)!)),
  ];
}

function orderOfStrategies(): string[] {
  return strategies().map(({ name }) => name);
}

/** Judges memory; bytes are counted, not sampled, so that there is always a verdict. */
function memory(
  grounds: readonly ClaimGround[],
  holds: (peaks: readonly number[]) => boolean,
): Omit<TestedClaim, "claim"> {
  const peaks = grounds.map(({ strategy, peakBytes: { total: bytes, tables: tableBytes } }) => ({
    strategy,
    bytes,
    tableBytes,
  }));
  return {
    verdict: holds(peaks.map(({ bytes }) => bytes)) ? "holds" : "does not hold",
    evidence: { kind: "memory", peaks },
  };
}

/** Judges whether a strategy is faster than all others by more than `threshold`. */
function latency(
  { strategy, newTokens, e2eMs }: ClaimGround,
  others: readonly ClaimGround[],
  threshold: number,
): Omit<TestedClaim, "claim"> {
  if (newTokens === 1) {
    return { verdict: "not shown by this run", evidence: { kind: "one token" } };
  }
  const against = others.map((other) => ({
    strategy: other.strategy,
    ms: median(other.e2eMs),
    ratio: ratioOf(other.e2eMs, e2eMs),
  }));
  const refuted = against.some(({ ratio: { interval, enough } }) =>
    enough && interval !== null && interval[0] > 1 / (1 + CLEAR)
  );
  const shown = against.every(({ ratio }) => verdictOf(ratio, threshold) === "faster");
  return {
    verdict: shown ? "holds" : refuted ? "does not hold" : "not shown by this run",
    evidence: { kind: "time", strategy, ms: median(e2eMs), against },
  };
}

/**
 * Judges growth. If a token takes c · nᵏ, n tokens take about c · nᵏ⁺¹ / (k + 1): O(n²) with k = 1, O(n) with k = 0. A time that does
 * not grow in proportion without a cache refutes nothing, because fixed costs may hide it on short contexts; a time
 * that grows with one does.
 */
function growth(none: ClaimGround, cached: ClaimGround): Omit<TestedClaim, "claim"> {
  const without = none.growth, with_ = cached.growth;
  if (!without || !with_) return { verdict: "not shown by this run", evidence: { kind: "one token" } };
  const told = without.interval !== null && with_.interval !== null && without.to >= RANGE * without.from;
  let verdict: ClaimVerdict = "not shown by this run";
  if (told && with_.interval![0] > FLAT) verdict = "does not hold";
  else if (told && with_.interval![1] <= FLAT && without.interval![0] >= PROPORTIONAL) verdict = "holds";
  return { verdict, evidence: { kind: "growth", without, strategy: cached.strategy, cached: with_ } };
}
