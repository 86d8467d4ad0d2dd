/**
 * Findings of a ladder: each rung's factor over the one below, whether the factors multiply to the whole, what paging is
 * worth, and the textbooks' claims. Figures only; the report has the words.
 */
import { seededRandom } from "../../base/random.ts";
import { findStrategy } from "../../kv/registry.ts";
import type { LadderResult, MeasuredRung, RungTurns } from "../ladder/ladder_result.ts";
import { bootstrapInterval, bootstrapProduct, type Interval } from "../statistics/bootstrap.ts";
import { growthOf } from "../statistics/growth.ts";
import { type Ratio, ratioOf, type Verdict, verdictOf } from "../statistics/ratio.ts";
import { median } from "../statistics/statistics.ts";
import { type MachineWarning, machineWarnings } from "./warnings.ts";
import { type ClaimGround, judgeClaims, type TestedClaim } from "./claims.ts";

/** A ratio of times, the earlier over the later: above 1, the later is faster. */
export interface Factor {
  readonly ratio: number;
  /** Its 95 % interval, null with too few runs. */
  readonly interval: Interval | null;
}

/** A rung's figures. */
export interface RungFindings {
  readonly rung: MeasuredRung;
  /** Median time per token over all its runs, in ms. */
  readonly ms: number;
  /** Its 95 % interval, null with too few runs. */
  readonly interval: Interval | null;
  /** Over the rung below, from their turns; null for the lowest. */
  readonly factor: Factor & { readonly verdict: Verdict } | null;
}

/** Findings of a ladder. */
export interface LadderFindings {
  readonly rungs: readonly RungFindings[];
  /** Of the highest rung over the lowest, from turns of their own. */
  readonly whole: Factor;
  /** The rungs' factors multiplied. */
  readonly product: Factor;
  /** True where the intervals of whole and product meet; null where one is missing. */
  readonly agrees: boolean | null;
  /** The rung that changes addresses alone: its place and its factor. */
  readonly paging: RungFindings;
  /** Sequences at once with blocks, over those with regions of one context each. */
  readonly sequences: number;
  readonly claims: readonly TestedClaim[];
  readonly warnings: readonly MachineWarning[];
  /** Pairs of rungs for which time ran out before their medians were precise. */
  readonly rushed: number;
}

/** Smallest difference that counts as one, a share. */
const THRESHOLD = 0;

/** Computes the findings; the same record always has the same. */
export function ladderFindings(result: LadderResult): LadderFindings {
  const { rungs, turns, plan: { seed }, sequences, environment } = result;
  const whole = turns.at(-1)!, steps = turns.slice(0, -1);
  const found = rungs.map((rung, i): RungFindings => {
    const ms = turns.flatMap(({ from, to, from_ms, to_ms }) => from === i ? from_ms : to === i ? to_ms : []);
    const below = steps[i - 1];
    return {
      rung,
      ms: median(ms),
      interval: bootstrapInterval(ms, median, seededRandom(seed)),
      factor: below === undefined ? null : factorOf(below, seed),
    };
  });
  const product: Factor = {
    ratio: found.reduce((all, { factor }) => all * (factor?.ratio ?? 1), 1),
    interval: bootstrapProduct(
      steps.map(({ from_ms, to_ms }) => [to_ms, from_ms] as const),
      median,
      seededRandom(seed),
    ),
  };
  const all = factorOf(whole, seed);
  return {
    rungs: found,
    whole: all,
    product,
    agrees: meet(all.interval, product.interval),
    paging: found[pagingAt(rungs)]!,
    sequences: sequences.blocks.mean / sequences.regions.mean,
    claims: claimsOfLadder(result),
    warnings: machineWarnings(environment, turns),
    rushed: turns.filter(({ stopped }) => stopped === "time").length,
  };
}

function factorOf({ from_ms, to_ms }: RungTurns, seed: number): Factor & { readonly verdict: Verdict } {
  const back: Ratio = ratioOf(to_ms, from_ms, seed);
  return {
    ratio: back.ratio,
    interval: back.interval,
    verdict: verdictOf(ratioOf(from_ms, to_ms, seed), THRESHOLD),
  };
}

/** Tells whether two intervals have a value in common; null where one is missing. */
function meet(a: Interval | null, b: Interval | null): boolean | null {
  return a === null || b === null ? null : a[0] <= b[1] && b[0] <= a[1];
}

/** The first rung whose memory is shared. */
function pagingAt(rungs: readonly MeasuredRung[]): number {
  return rungs.findIndex(({ strategy }) => findStrategy(strategy)?.traits.shares ?? false);
}

/**
 * Tests the claims on rungs that took turns: recomputing and the cache above it, and both sides of the rung that changes
 * addresses alone.
 */
function claimsOfLadder({ rungs, turns, plan }: LadderResult): TestedClaim[] {
  const paging = pagingAt(rungs);
  const ground = (index: number, ms: readonly number[]): ClaimGround => {
    const { strategy, peak_bytes: peakBytes, gaps_ms: gaps, batch } = rungs[index]!;
    return {
      strategy,
      newTokens: plan.new_tokens,
      peakBytes,
      e2eMs: ms.map((each) => each * plan.new_tokens * batch),
      growth: gaps &&
        growthOf([{ itl_ms: { runs: gaps }, settings: { prompt_tokens: plan.prompt_ids.length } }]),
    };
  };
  const lowest = turns[0]!, step = turns[paging - 1]!;
  const beside = ground(step.from, step.from_ms);
  return judgeClaims({
    none: ground(lowest.from, lowest.from_ms),
    cache: ground(lowest.to, lowest.to_ms),
    sharing: ground(step.to, step.to_ms),
    besideSharing: beside,
    fasterThan: [beside],
  });
}
