/**
 * A ladder as text, computed once for the terminal, the chart and the page, in a language.
 *
 * @module
 */
import type { Interval } from "../../measure/statistics/bootstrap.ts";
import {
  type Factor,
  type LadderFindings,
  ladderFindings,
  type RungFindings,
} from "../../measure/findings/ladder.ts";
import type { LadderResult } from "../../measure/ladder/ladder_result.ts";
import { sayKind } from "../adapter_kind.ts";
import { sayEvidence } from "../evidence.ts";
import type { Lang } from "../lang.ts";
import { oneLine } from "../wrap.ts";
import { formatBytes, formatCount, formatMs, formatPercent, formatSignificant } from "../units.ts";
import { wordsIn } from "./lang.ts";
import { PUBLISHED, PUBLISHED_GPU, publishedBeside, type PublishedRow } from "./published.ts";
import type { LadderWords } from "./words.ts";

/** Most rungs that are named as those that make the difference. */
const NAMED = 3;

/** A rung as text. */
export interface RungView extends RungFindings {
  /** Its number, from 1. */
  readonly number: number;
  /** Number and name. */
  readonly label: string;
  readonly changes: string;
  /** Time per token with half of its interval. */
  readonly time: string;
  /** Factor with its interval; empty for the lowest. */
  readonly gain: string;
  readonly peak: string;
  /** The row of the published run beside it. */
  readonly published: PublishedRow | undefined;
}

/** A claim as text. */
interface ClaimView {
  readonly claim: string;
  readonly verdict: string;
  /** Its verdict as a name that is the same in every language. */
  readonly name: string;
  readonly figures: string;
}

/** A ladder as text. */
export interface LadderView {
  readonly lang: Lang;
  readonly words: LadderWords;
  readonly findings: LadderFindings;
  readonly heading: string;
  readonly rungs: readonly RungView[];
  readonly whole: string;
  readonly product: string;
  /** The sentence that answers what paging is worth. */
  readonly answer: string;
  /** Further sentences. */
  readonly sentences: readonly string[];
  /** The published run, and what differs in it. */
  readonly published: { readonly said: string; readonly differences: readonly string[] };
  readonly cautions: readonly string[];
  readonly claims: readonly ClaimView[];
}

/** Computes the view. */
export function ladderView(result: LadderResult, lang: Lang): LadderView {
  const words = wordsIn(lang), findings = ladderFindings(result);
  const { environment: { adapter, fence }, plan, model, sequences } = result;
  const rungs = findings.rungs.map((found, i): RungView => {
    const { short, changes } = words.rungs[found.rung.name];
    return {
      ...found,
      number: i + 1,
      label: `${i + 1} ${short}`,
      changes,
      time: sayMedian(found),
      gain: found.factor === null ? "" : sayFactor(found.factor),
      peak: formatBytes(found.rung.peak_bytes.total),
      published: publishedBeside(found.rung.name),
    };
  });
  const paging = rungs[findings.rungs.indexOf(findings.paging)]!;
  const largest = rungs.filter(({ factor }) => factor?.verdict === "faster")
    .sort((a, b) => b.factor!.ratio - a.factor!.ratio).slice(0, NAMED)
    .map(({ number, rung, gain }) => ({ rung: number, name: words.rungs[rung.name].short, factor: gain }));
  const whole = sayFactor(findings.whole), product = sayFactor(findings.product);
  const name = oneLine(adapter.description);
  return {
    lang,
    words,
    findings,
    heading: words.heading({
      model: oneLine(model.name),
      adapter: `${name} (${sayKind(adapter, words.hardware, words.software)})`,
      promptTokens: plan.prompt_ids.length,
      newTokens: plan.new_tokens,
    }),
    rungs,
    whole,
    product,
    answer: words.paging({
      rung: paging.number,
      factor: paging.gain,
      sequences: formatSignificant(findings.sequences),
      regions: formatSignificant(sequences.regions.mean),
      blocks: formatSignificant(sequences.blocks.mean),
      tokens: formatCount(sequences.budget_tokens),
      requests: formatCount(sequences.requests),
    }),
    sentences: [
      words.largest(largest),
      words.multiplies({ whole, product, agrees: findings.agrees }),
      words.fed({
        from: rungs.find(({ rung }) => !rung.exact)?.number ?? rungs.length,
        rungs: rungs.filter(({ rung }) => rung.fed_ids > 0)
          .map(({ number, rung }) => ({ rung: number, ids: rung.fed_ids })),
      }),
      words.eager(formatMs(fence.readback_ms)),
    ],
    published: {
      said: words.published({
        ms: PUBLISHED.map(({ msPerToken }) => msPerToken).join(" / "),
        peaks: PUBLISHED.map(({ peakMb }) => peakMb).join(" / "),
        gpu: PUBLISHED_GPU,
      }),
      differences: words.differences,
    },
    cautions: sayCautions(result, findings, words, name),
    claims: findings.claims.map(({ claim, verdict, evidence }) => ({
      claim: words.claims[claim],
      verdict: words.verdicts[verdict],
      name: verdict,
      figures: sayEvidence(evidence, verdict, claim === "pagedMemory", words.evidence),
    })),
  };
}

function sayCautions(
  { environment: { adapter, cpu }, plan }: LadderResult,
  { cautions: { load, spread, rushed } }: LadderFindings,
  words: LadderWords,
  name: string,
): string[] {
  return [
    ...adapter.software ? [words.onCpu(name)] : [],
    ...load === undefined ? [] : [words.busy(load.toFixed(1), cpu.cores)],
    ...spread === undefined ? [] : [words.unquiet(formatPercent(spread, 1))],
    ...rushed === 0 ? [] : [words.rushed(rushed, String(plan.max_seconds))],
  ];
}

/** Says a factor with its interval: "1.49 × (1.45–1.53)". */
function sayFactor({ ratio, interval }: Factor): string {
  return `${formatFactor(ratio)} ×${interval === null ? "" : ` (${sayInterval(interval)})`}`;
}

function sayInterval([low, high]: Interval): string {
  return `${formatFactor(low)}–${formatFactor(high)}`;
}

/** Two decimals below 10, since small factors are what people guess wrong. */
function formatFactor(value: number): string {
  return value < 10 ? value.toFixed(2) : formatSignificant(value);
}

function sayMedian({ ms, interval }: RungFindings): string {
  const half = interval === null ? "" : ` ± ${formatSignificant((interval[1] - interval[0]) / 2)}`;
  return `${formatSignificant(ms)}${half}`;
}
