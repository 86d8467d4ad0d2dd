/** A ladder as text, computed once for the terminal, the chart and the page. */
import type { Interval } from "../../measure/statistics/bootstrap.ts";
import {
  type Factor,
  type LadderFindings,
  ladderFindings,
  type RungFindings,
} from "../../measure/findings/ladder.ts";
import type { LadderResult } from "../../measure/ladder/ladder_result.ts";
import { sayKind } from "../adapter_kind.ts";
import { sayMachine, sayOnCpu } from "../cautions.ts";
import { inWords, type Say } from "../lang.ts";
import { type SaidClaim, sayClaim } from "../said_claim.ts";
import { oneLine } from "../wrap.ts";
import { formatBytes, formatCount, formatMs, formatSignificant } from "../units.ts";
import {
  PUBLISHED,
  PUBLISHED_DIFFERENCES,
  PUBLISHED_GPU,
  publishedBeside,
  type PublishedRow,
} from "./published.ts";
import { RUNG_WORDS } from "./rung_words.ts";

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

/** A ladder as text. */
export interface LadderView {
  readonly heading: string;
  /** Titles of columns, and of the rows below the rungs. */
  readonly titles: ReturnType<typeof titlesIn>;
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
  readonly claims: readonly SaidClaim[];
  readonly claimsNote: string;
}

/** Computes the view. */
export function ladderView(result: LadderResult, t: Say): LadderView {
  const findings = ladderFindings(result);
  const { environment: { adapter }, plan, model } = result;
  const rungs = findings.rungs.map((found, i): RungView => {
    const { short, changes } = RUNG_WORDS[found.rung.name];
    return {
      ...found,
      number: i + 1,
      label: `${i + 1} ${inWords(short, t)}`,
      changes: inWords(changes, t),
      time: sayMedian(found),
      gain: found.factor === null ? "" : sayFactor(found.factor),
      peak: formatBytes(found.rung.peak_bytes.total),
      published: publishedBeside(found.rung.name),
    };
  });
  const described = `${oneLine(adapter.description)} (${sayKind(adapter, t`hardware`, t`software`)})`;
  return {
    heading: t`kvbench: ${
      oneLine(model.name)
    } on ${described}, ${plan.prompt_ids.length} prompt + ${plan.new_tokens} new tokens`,
    titles: titlesIn(t),
    rungs,
    whole: sayFactor(findings.whole),
    product: sayFactor(findings.product),
    answer: sayPaging(result, findings, rungs, t),
    sentences: [
      sayLargest(rungs, t),
      sayProduct(findings, t),
      sayFed(rungs, t),
      t`Rungs 1 to 3 stand for the eager loop of transformers, as near as WebGPU comes. Unlike there, a step is one
        submission, buffers are cleared when they are made, and reading an id back takes ${
        formatMs(result.environment.fence.readback_ms)
      } when the GPU is done. Rungs 4 to 7 end at a fence, without a readback.`,
    ],
    published: {
      said: t`One published run on an ${PUBLISHED_GPU}: ${
        PUBLISHED.map(({ msPerToken }) => msPerToken).join(" / ")
      } ms per token without a cache, with one, and in vLLM; peak memory ${
        PUBLISHED.map(({ peakMb }) => peakMb).join(" / ")
      } MB. What differs there:`,
      differences: PUBLISHED_DIFFERENCES.map((text) => inWords(text, t)),
    },
    cautions: sayCautions(result, findings, t),
    claims: findings.claims.map((tested) => sayClaim(tested, t)),
    claimsNote: t`Tested on rungs that took turns: 1 and 2 for the cache, 5 and 6 for paging.`,
  };
}

function titlesIn(t: Say) {
  return {
    rung: t`rung`,
    changes: t`what it changes`,
    msPerToken: t`ms per token`,
    factor: t`factor (95 %)`,
    peak: t`peak`,
    published: t`published, ms per token`,
    publishedPeak: t`published, MB`,
    whole: t`last over first`,
    product: t`product of the factors`,
  };
}

function sayPaging(
  { sequences: { regions, blocks, budget_tokens: tokens, requests } }: LadderResult,
  findings: LadderFindings,
  rungs: readonly RungView[],
  t: Say,
): string {
  const { number, gain } = rungs[findings.rungs.indexOf(findings.paging)]!;
  const [more, withBlocks, withRegions] = [findings.sequences, blocks.mean, regions.mean].map(
    formatSignificant,
  ) as [string, string, string];
  return t`Paging itself (rung ${number}) is worth ${gain} here; it is worth ${more} × in sequences: ${withBlocks}
    in place of ${withRegions} run at once in the same K/V memory of ${
    formatCount(tokens)
  } tokens (simulated: ${formatCount(requests)} requests).`;
}

function sayLargest(rungs: readonly RungView[], t: Say): string {
  const largest = rungs.filter(({ factor }) => factor?.verdict === "faster")
    .sort((a, b) => b.factor!.ratio - a.factor!.ratio).slice(0, NAMED)
    .map(({ number, rung, gain }) => t`rung ${number}, ${inWords(RUNG_WORDS[rung.name].short, t)}: ${gain}`);
  return largest.length === 0
    ? t`No rung is shown to be faster than the one before it: too few runs, or too much noise.`
    : t`What makes the difference: ${largest.join(t`; `)}.`;
}

function sayProduct({ whole, product, agrees }: LadderFindings, t: Say): string {
  const agreement = agrees === null
    ? t`too few runs to tell whether they agree`
    : agrees
    ? t`they agree`
    : t`they do not agree`;
  return t`The last rung is ${
    sayFactor(whole)
  } faster than the first, measured in turns of their own; the rungs' factors multiply to ${
    sayFactor(product)
  }: ${agreement}.`;
}

function sayFed(rungs: readonly RungView[], t: Say): string {
  const from = rungs.find(({ rung }) => !rung.exact)?.number ?? rungs.length;
  const fed = rungs.flatMap(({ number, rung: { fed_ids: ids } }) =>
    ids === 0 ? [] : ids === 1 ? [t`1 id in rung ${number}`] : [t`${ids} ids in rung ${number}`]
  );
  return fed.length === 0
    ? t`Every rung chose the same ids itself.`
    : t`Every rung computed the same tokens. From rung ${from} on numbers are rounded, and where a rung's own id
      would have differed, it was fed rung ${from - 1}'s: ${fed.join(t`, `)}.`;
}

function sayCautions(
  { environment: { adapter }, plan }: LadderResult,
  { warnings, rushed }: LadderFindings,
  t: Say,
): string[] {
  return [
    ...adapter.software ? [sayOnCpu(adapter.description, t)] : [],
    ...warnings.map((warning) => sayMachine(warning, t)),
    ...rushed === 0 ? [] : [
      t`Time ran out (--max-seconds ${plan.max_seconds}) before medians were precise enough, in ${rushed} of the
        pairs.`,
    ],
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
