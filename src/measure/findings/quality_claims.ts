/**
 * Published claims about what may be forgotten or rounded, tested on cells that were scored. The report has the words.
 */
import { kvDtypeOf, partsOf, rotatesAny } from "../../formats/kv_dtype.ts";
import { DEFAULT_DTYPE, formatOf } from "../../formats/registry.ts";
import type { Estimate } from "../quality/divergence_summary.ts";
import { contextTokens, type ScoredCell } from "../quality/scored_cell.ts";
import { WORK_SETTINGS } from "../record/cell.ts";
import { cellKey } from "../run/grid.ts";
import type { ClaimVerdict } from "./claims.ts";

/** The claims, by name. */
export const QUALITY_CLAIMS = {
  sinks: "Attention sinks rescue a sliding window",
  keys: "K needs more bits than V",
  rotation: "A rotation halves the divergence of narrow K and V",
  heavyHitters: "Heavy hitters keep quality at 20 % of the cache",
} as const;

/** A claim's name. */
export type QualityClaimName = keyof typeof QUALITY_CLAIMS;

/** A claim that was tested. */
interface TestedQualityClaim {
  readonly claim: QualityClaimName;
  readonly verdict: ClaimVerdict;
  /** The cells that it was tested on, in the order of the claim's figures; none where they are missing. */
  readonly cells: readonly ScoredCell[];
}

/** Standard errors on either side of a 95 % interval. */
const REACH = 1.96;
/** Largest share of the tokens that counts as 20 %, since lengths are whole. */
const FIFTH = 0.205;
/** Largest ratio of perplexities with which quality is kept. */
export const KEPT = 1.05;

/** Tests every claim. */
export function qualityClaimsOf(cells: readonly ScoredCell[]): TestedQualityClaim[] {
  return [
    test("sinks", sinksPair(cells), sinksRescue),
    test("keys", keysPair(cells), keysNeed),
    test("rotation", rotationPair(cells), rotationHalves),
    test("heavyHitters", fifthOfHitters(cells), isKept),
  ];
}

function test(
  claim: QualityClaimName,
  cells: readonly ScoredCell[] | undefined,
  margin: (...cells: ScoredCell[]) => Estimate,
): TestedQualityClaim {
  if (cells === undefined) return { claim, verdict: "not shown by this run", cells: [] };
  const { value, error } = margin(...cells), reach = REACH * (error ?? Infinity);
  const verdict = value > reach ? "holds" : value < -reach ? "does not hold" : "not shown by this run";
  return { claim, verdict, cells };
}

/** Finds a window without sinks and one with sinks that hold the same bytes: the largest of them. */
function sinksPair(cells: readonly ScoredCell[]): [without: ScoredCell, with_: ScoredCell] | undefined {
  const pairs = cells.filter(({ settings }) => settings.sinks === 0).flatMap((without) =>
    cells.filter((cell) => Number(cell.settings.sinks) > 0 && isAlike(cell, without))
      .map((cell) => [without, cell] as [ScoredCell, ScoredCell])
  );
  return pairs.toSorted(([a], [b]) => b.kv_bytes - a.kv_bytes)[0];
}

/** Returns the difference that sinks make to the perplexity. */
function sinksRescue(without: ScoredCell, with_: ScoredCell): Estimate {
  return difference(without.divergence.perplexity_ratio, with_.divergence.perplexity_ratio);
}

/** Finds a cell with narrower K than V and one with the same types exchanged: the narrowest of them. */
function keysPair(cells: readonly ScoredCell[]): [narrowK: ScoredCell, narrowV: ScoredCell] | undefined {
  const pairs = cells.flatMap((narrowK) => {
    const [k, v] = partsOf(narrowK.settings.kv_dtype);
    if (formatOf(k).bytes >= formatOf(v).bytes) return [];
    const narrowV = cells.find((cell) =>
      cell.settings.kv_dtype === kvDtypeOf(v, k) && isSameBut(cell, narrowK)
    );
    return narrowV ? [[narrowK, narrowV] as [ScoredCell, ScoredCell]] : [];
  });
  return pairs.toSorted(([a], [b]) => a.kv_bytes - b.kv_bytes)[0];
}

/** Returns the divergence that narrow K costs more than narrow V. */
function keysNeed(narrowK: ScoredCell, narrowV: ScoredCell): Estimate {
  return difference(narrowK.divergence.kld.mean, narrowV.divergence.kld.mean);
}

/** Finds a cell whose K and V are stored rotated and one that holds the same bytes without. */
function rotationPair(cells: readonly ScoredCell[]): [rotated: ScoredCell, plain: ScoredCell] | undefined {
  const rotates = ({ settings }: ScoredCell) => rotatesAny(settings.kv_dtype);
  const isOne = ({ settings }: ScoredCell) => new Set(partsOf(settings.kv_dtype)).size === 1;
  const alike = (rotated: ScoredCell) =>
    cells.find((cell) =>
      !rotates(cell) && isOne(cell) && cell.kv_bytes === rotated.kv_bytes && isSameBut(cell, rotated)
    );
  for (const rotated of cells.filter((cell) => rotates(cell) && isOne(cell))) {
    const plain = alike(rotated);
    if (plain !== undefined) return [rotated, plain];
  }
}

/** Returns the distance of the divergence with a rotation from half of that without. */
function rotationHalves(rotated: ScoredCell, plain: ScoredCell): Estimate {
  const { value, error } = plain.divergence.kld.mean;
  return difference({ value: value / 2, error: error && error / 2 }, rotated.divergence.kld.mean);
}

/** Tells whether two cells differ in nothing but the types of K and V. */
function isSameBut(a: ScoredCell, b: ScoredCell): boolean {
  const [first, second] = [a, b].map(({ strategy, settings }) =>
    cellKey({ strategy, settings: { ...settings, kv_dtype: DEFAULT_DTYPE } })
  );
  return first === second;
}

/** Finds the cell of heavy hitters that keeps most tokens, but not more than a fifth. */
function fifthOfHitters(cells: readonly ScoredCell[]): [ScoredCell] | undefined {
  const [best] = cells.filter(({ settings }) => (settings.heavy ?? null) !== null)
    .filter((cell) => keptShare(cell) <= FIFTH).toSorted((a, b) => b.kv_tokens - a.kv_tokens);
  return best && [best];
}

/** Returns the distance of the perplexity from what counts as kept. */
function isKept({ divergence: { perplexity_ratio } }: ScoredCell): Estimate {
  return difference({ value: KEPT, error: 0 }, perplexity_ratio);
}

/** Returns the share of a text's tokens whose K and V are kept. */
export function keptShare(cell: ScoredCell): number {
  return cell.kv_tokens / contextTokens(cell);
}

/** Tells whether two cells do the same work with the same strategy, types of K and V, and bytes. */
function isAlike(a: ScoredCell, b: ScoredCell): boolean {
  return a.strategy === b.strategy && a.kv_bytes === b.kv_bytes &&
    WORK_SETTINGS.every((key) => a.settings[key] === b.settings[key]);
}

function difference(a: Estimate, b: Estimate): Estimate {
  const error = a.error === null || b.error === null ? null : Math.hypot(a.error, b.error);
  return { value: a.value - b.value, error };
}
