/**
 * The textbooks' claims about KV caches, tested on a run. A claim holds, does not hold, or is not shown by this run:
 * where a strategy is missing, intervals are too wide, or contexts are too short. The report has the words.
 *
 * @module
 */
import type { KvTraits } from "../../kv/policy.ts";
import { findStrategy, strategies } from "../../kv/registry.ts";
import type { Cell } from "../record/cell.ts";
import { type Growth, growthOf } from "../statistics/growth.ts";
import { lengthsOf, overviewCells } from "./overview.ts";
import { type Ratio, ratioOf, verdictOf } from "../statistics/ratio.ts";
import type { BenchResult } from "../record/result.ts";

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

/** The verdict of a run on a claim. */
export type ClaimVerdict = "holds" | "does not hold" | "not shown by this run";

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
interface TestedClaim {
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
type Kind = keyof typeof KINDS;

function isOf(kind: Kind, strategy: string): boolean {
  const traits = findStrategy(strategy)?.traits;
  return traits !== undefined && KINDS[kind](traits);
}

/** Tests every claim on the longest context of a result, and growth on all lengths that there are. */
export function claimsOf(result: Pick<BenchResult, "cells">): TestedClaim[] {
  const order = strategies().map(({ name }) => name);
  const shown = overviewCells(result).toSorted((a, b) =>
    order.indexOf(a.strategy) - order.indexOf(b.strategy)
  );
  const first = (kind: Kind) => shown.find(({ strategy }) => isOf(kind, strategy));
  const test = (
    claim: ClaimName,
    kinds: readonly Kind[],
    judge: (...cells: Cell[]) => Omit<TestedClaim, "claim">,
  ): TestedClaim => {
    const absent = kinds.filter((kind) => first(kind) === undefined);
    if (absent.length > 0) {
      const names = absent.map((kind) => order.find((name) => isOf(kind, name))!);
      return { claim, verdict: "not shown by this run", evidence: { kind: "absent", strategies: names } };
    }
    return { claim, ...judge(...kinds.map((kind) => first(kind)!)) };
  };
  return [
    test("leastMemory", ["none", "cache"], (none, cache) => {
      const sharing = first("sharing");
      const peaks = [none!, cache!, ...sharing ? [sharing] : []];
      return memory(peaks, ([least = 0, ...others]) => others.every((bytes) => bytes > least));
    }),
    test(
      "cacheMemory",
      ["none", "cache"],
      (none, cache) => memory([cache!, none!], ([more = 0, less = 0]) => more > less * (1 + CLEAR)),
    ),
    test("cacheLatency", ["none", "cache"], (none, cache) => latency(cache!, [none!], CLEAR)),
    test(
      "pagedMemory",
      ["cache", "sharing"],
      (cache, sharing) =>
        memory(
          [sharing!, cache!],
          ([more = 0, less = 0]) => more > less && tableBytes(sharing!) > tableBytes(cache!),
        ),
    ),
    test("pagedLatency", ["cache", "sharing"], (_, sharing) => {
      const others = shown.filter(({ strategy }) => isOf("none", strategy) || isOf("cache", strategy));
      return latency(sharing!, others, 0);
    }),
    test(
      "complexity",
      ["none", first("cache") ? "cache" : "sharing"],
      (none, cached) => growth(none!, cached!, result.cells),
    ),
  ];
}

const tableBytes = ({ memory }: Cell) => memory.peak_bytes.tables;

/** Judges memory; bytes are counted, not sampled, so that there is always a verdict. */
function memory(
  cells: readonly Cell[],
  holds: (peaks: readonly number[]) => boolean,
): Omit<TestedClaim, "claim"> {
  const peaks = cells.map((cell) => ({
    strategy: cell.strategy,
    bytes: cell.memory.peak_bytes.total,
    tableBytes: tableBytes(cell),
  }));
  return {
    verdict: holds(peaks.map(({ bytes }) => bytes)) ? "holds" : "does not hold",
    evidence: { kind: "memory", peaks },
  };
}

/** Judges whether a cell is faster than all others by more than `threshold`. */
function latency(cell: Cell, others: readonly Cell[], threshold: number): Omit<TestedClaim, "claim"> {
  if (cell.settings.new_tokens === 1) {
    return { verdict: "not shown by this run", evidence: { kind: "one token" } };
  }
  const against = others.map((other) => ({
    strategy: other.strategy,
    ms: other.e2e_ms.median,
    ratio: ratioOf(other.e2e_ms.samples, cell.e2e_ms.samples),
  }));
  const refuted = against.some(({ ratio: { interval, enough } }) =>
    enough && interval !== null && interval[0] > 1 / (1 + CLEAR)
  );
  const shown = against.every(({ ratio }) => verdictOf(ratio, threshold) === "faster");
  return {
    verdict: shown ? "holds" : refuted ? "does not hold" : "not shown by this run",
    evidence: { kind: "time", strategy: cell.strategy, ms: cell.e2e_ms.median, against },
  };
}

/**
 * Judges growth. If a token takes c · nᵏ, n tokens take about c · nᵏ⁺¹ / (k + 1): O(n²) with k = 1, O(n) with k = 0. A time that does
 * not grow in proportion without a cache refutes nothing, because fixed costs may hide it on short contexts; a time
 * that grows with one does.
 */
function growth(none: Cell, cached: Cell, cells: readonly Cell[]): Omit<TestedClaim, "claim"> {
  const [without, with_] = [none, cached].map((cell) => growthOf(lengthsOf(cell, cells)));
  if (!without || !with_) return { verdict: "not shown by this run", evidence: { kind: "one token" } };
  const told = without.interval !== null && with_.interval !== null && without.to >= RANGE * without.from;
  let verdict: ClaimVerdict = "not shown by this run";
  if (told && with_.interval![0] > FLAT) verdict = "does not hold";
  else if (told && with_.interval![1] <= FLAT && without.interval![0] >= PROPORTIONAL) verdict = "holds";
  return { verdict, evidence: { kind: "growth", without, strategy: cached.strategy, cached: with_ } };
}
