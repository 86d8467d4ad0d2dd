/** The verdicts on published claims about quality, in words. */
import {
  KEPT,
  keptShare,
  QUALITY_CLAIMS,
  type QualityClaimName,
  qualityClaimsOf,
} from "../measure/findings/quality_claims.ts";
import type { ScoredCell } from "../measure/quality/scored_cell.ts";
import { inEnglish, inWords, type Say } from "./lang.ts";
import { optionKeys, saySettings } from "./labels.ts";
import type { SaidClaim } from "./said_claim.ts";
import { formatDivergence, formatEstimate, formatPercent } from "./units.ts";

/** Says the figures of a claim. */
const FIGURES: Readonly<Record<QualityClaimName, (cells: readonly ScoredCell[], t: Say) => string>> = {
  sinks: ([without, with_], t) =>
    t`perplexity × ${sayRatio(without!)} with ${sayOptions(without!, t)} against ${sayRatio(with_!)} with ${
      sayOptions(with_!, t)
    }, at the same bytes`,
  keys: ([narrowK, narrowV], t) =>
    t`KL divergence ${sayKld(narrowK!)} nats with K/V ${narrowK!.settings.kv_dtype} against ${
      sayKld(narrowV!)
    } with ${narrowV!.settings.kv_dtype}, ${narrowK!.strategy}`,
  rotation: ([rotated, plain], t) =>
    t`KL divergence ${sayKld(rotated!)} nats with K/V ${rotated!.settings.kv_dtype} against ${
      sayKld(plain!)
    } with ${plain!.settings.kv_dtype}, ${rotated!.strategy}`,
  heavyHitters: ([cell], t) =>
    t`with ${sayOptions(cell!, t)}, ${formatPercent(keptShare(cell!), 1)} of the tokens: perplexity × ${
      sayRatio(cell!)
    }, and ${KEPT} counts as kept; ${sayDivergence(cell!, t)}`,
};

/** The cells that a claim is tested on, where they are missing. */
const MISSING: Readonly<Record<QualityClaimName, string>> = {
  sinks: inEnglish`no windows of the same bytes with and without sinks were scored`,
  keys: inEnglish`no pair of types for K and V and the same exchanged was scored`,
  rotation: inEnglish`no types of the same bytes with and without a rotation were scored`,
  heavyHitters: inEnglish`none that keeps at most a fifth of the tokens was scored`,
};

/** Returns the claims with their verdicts; none where nothing was scored. */
export function saidQualityClaims(cells: readonly ScoredCell[], t: Say = inEnglish): SaidClaim[] {
  if (cells.length === 0) return [];
  return qualityClaimsOf(cells).map(({ claim, verdict, cells }) => ({
    claim: inWords(QUALITY_CLAIMS[claim], t),
    verdict,
    figures: cells.length === 0 ? inWords(MISSING[claim], t) : FIGURES[claim](cells, t),
  }));
}

function sayRatio({ divergence: { perplexity_ratio } }: ScoredCell): string {
  return formatEstimate(perplexity_ratio, (value) => value.toFixed(3));
}

function sayKld({ divergence: { kld } }: ScoredCell): string {
  return formatEstimate(kld.mean, formatDivergence);
}

function sayDivergence(cell: ScoredCell, t: Say): string {
  const same = formatPercent(cell.divergence.same_top.value, 1);
  return t`KL divergence ${sayKld(cell)} nats, the same likeliest token in ${same}`;
}

function sayOptions({ strategy, settings }: ScoredCell, t: Say): string {
  const said = saySettings(settings, optionKeys([{ settings }]), t);
  return `${strategy}, K/V ${settings.kv_dtype}${said === "" ? "" : `, ${said}`}`;
}
