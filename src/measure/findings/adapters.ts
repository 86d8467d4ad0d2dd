/**
 * One result as a row of many adapters: the outcome of its self-check, the factors that can be compared across
 * adapters, and its verdicts on the claims. The report has the words.
 */
import type { CheckRecord } from "../record/checks.ts";
import type { BenchResult } from "../record/result.ts";
import type { Cell } from "../record/cell.ts";
import type { Interval } from "../statistics/bootstrap.ts";
import { ratioOf } from "../statistics/ratio.ts";
import { claimsOf, isOf, type Kind, type TestedClaim } from "./claims.ts";
import { baselineOf, overviewCells } from "./overview.ts";
import { machineWarnings } from "./warnings.ts";

/** A figure with its 95 % interval, which is null where it is exact, or where there are too few runs. */
export interface Estimate {
  readonly value: number;
  readonly interval: Interval | null;
}

/** Figures of a row, by name; null where a strategy is missing, or nothing is decoded. */
export interface AdapterFigures {
  /** TPOT without a cache over TPOT with one. */
  readonly cacheGain: Estimate | null;
  /** TPOT with paging over TPOT with a plain cache, less 1. */
  readonly pagingCost: Estimate | null;
  /** TPOT with a plain cache, in ms. */
  readonly tpotMs: Estimate | null;
  /** Peak of GPU memory with a plain cache, less that without one, in bytes. */
  readonly cacheBytes: Estimate | null;
}

/** The outcome of a self-check: all is right, something is not, or the result does not say. */
export type SelfCheckOutcome = "right" | "wrong" | "not recorded";

/** A row of many adapters. */
export interface AdapterFindings {
  readonly selfCheck: SelfCheckOutcome;
  /** True if the machine was busy or its speed varied while it was measured. */
  readonly noisy: boolean;
  /** The check that came closest to its tolerance; null where there is none with an error. */
  readonly closest: CheckRecord | null;
  readonly figures: AdapterFigures;
  readonly claims: readonly TestedClaim[];
}

/** Computes the row of a result, on its longest context. */
export function adapterFindings(result: BenchResult): AdapterFindings {
  const cells = overviewCells(result),
    first = (kind: Kind) => cells.find((cell) => isOf(kind, cell.strategy));
  const none = baselineOf(cells), cache = first("cache"), sharing = first("sharing");
  const memory = none && cache ? peakOf(cache) - peakOf(none) : null;
  return {
    selfCheck: selfCheckOf(result),
    noisy: machineWarnings(result.environment, result.cells).length > 0,
    closest: closestCheck(result.self_check ?? []),
    figures: {
      cacheGain: ratio(cache, none, 0),
      pagingCost: ratio(cache, sharing, 1),
      tpotMs: cache?.tpot_ms ? { value: cache.tpot_ms.median, interval: cache.tpot_ms.median_ci } : null,
      cacheBytes: memory === null ? null : { value: memory, interval: null },
    },
    claims: claimsOf(result),
  };
}

/** Sums up the checks of a result. */
export function selfCheckOf({ self_check: checks }: Pick<BenchResult, "self_check">): SelfCheckOutcome {
  if (checks === null || checks.length === 0) return "not recorded";
  return checks.every(({ verdict }) => verdict === "right") ? "right" : "wrong";
}

function closestCheck(checks: readonly CheckRecord[]): CheckRecord | null {
  const share = ({ largest_error, tolerance }: CheckRecord) => (largest_error ?? 0) / (tolerance || Infinity);
  const measured = checks.filter(({ largest_error }) => largest_error !== null);
  return measured.toSorted((a, b) => share(b) - share(a))[0] ?? null;
}

/** Relates the TPOT of `over` to that of `under`, less something. */
function ratio(under: Cell | undefined, over: Cell | undefined, less: number): Estimate | null {
  if (!under?.tpot_ms || !over?.tpot_ms) return null;
  const { ratio, interval } = ratioOf(under.tpot_ms.samples, over.tpot_ms.samples);
  return { value: ratio - less, interval: interval && [interval[0] - less, interval[1] - less] };
}

function peakOf({ memory }: Cell): number {
  return memory.peak_bytes.total;
}
