/**
 * What textbooks say of KV caches, held against a run. A claim holds, does not hold, or is not shown by this run: where
 * a strategy is missing, where intervals are too wide to tell, where contexts are too short. Figures come along as
 * numbers; the words stand in the report.
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

/** A claim's name. */
export type ClaimName = keyof typeof CLAIMS;

/** What a run says of a claim. */
export type ClaimVerdict = "holds" | "does not hold" | "not shown by this run";

/** What a verdict rests on. */
export type Evidence =
  | {
    /** Strategies are missing that the claim is about. */
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
      /** Of these, uniforms, block tables and slot mappings. */
      readonly tableBytes: number;
    }[];
  }
  | {
    /** Times of whole requests. */
    readonly kind: "time";
    readonly strategy: string;
    /** Median in ms. */
    readonly ms: number;
    /** Others, and the ratio of the strategy's time to theirs. */
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
  /** Which. */
  readonly claim: ClaimName;
  /** What the run says. */
  readonly verdict: ClaimVerdict;
  /** On what grounds. */
  readonly evidence: Evidence;
}

/** A difference is clear from this share on. */
export const CLEAR = 0.05;
/** The exponent from which the time of a token grows with the context in proportion, and n tokens take O(n²). */
export const PROPORTIONAL = 0.75;
/** The exponent up to which the time of a token stays the same, and n tokens take O(n). */
export const FLAT = 0.25;
/** The longest context must be this many times the shortest for a growth to be told. */
export const RANGE = 2;

/** What the claims are about: kinds of strategies, by what they are. */
const KINDS = {
  none: ({ keeps }: KvTraits) => keeps === "nothing",
  cache: ({ keeps, shares }: KvTraits) => keeps === "all" && !shares,
  paged: ({ keeps, shares }: KvTraits) => keeps === "all" && shares,
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
      const paged = first("paged");
      const peaks = [none!, cache!, ...paged ? [paged] : []];
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
      ["cache", "paged"],
      (cache, paged) =>
        memory(
          [paged!, cache!],
          ([more = 0, less = 0]) => more > less && tableBytes(paged!) > tableBytes(cache!),
        ),
    ),
    test("pagedLatency", ["cache", "paged"], (_, paged) => {
      const others = shown.filter(({ strategy }) => isOf("none", strategy) || isOf("cache", strategy));
      return latency(paged!, others, 0);
    }),
    test(
      "complexity",
      ["none", first("cache") ? "cache" : "paged"],
      (none, cached) => growth(none!, cached!, result.cells),
    ),
  ];
}

const tableBytes = ({ memory }: Cell) => memory.peak_bytes.tables;

/** Bytes are counted, not sampled: there is always a verdict. */
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

/** Whether a cell is faster than all others by more than `threshold`. Slower, or surely as fast, is not. */
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
 * If a token takes c · nᵏ, n tokens take about c · nᵏ⁺¹ / (k + 1): O(n²) with k = 1, O(n) with k = 0. A time that does
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
