/** The meaning of a bench result in sentences that claim no more than its samples show. */
import { findStrategy } from "../kv/registry.ts";
import type { Accuracy } from "../measure/quality/accuracy.ts";
import { qualityOf } from "../measure/quality/bench_quality.ts";
import type { Cell } from "../measure/record/cell.ts";
import { baselineOf, overviewCells } from "../measure/findings/overview.ts";
import { ratioOf, verdictOf } from "../measure/statistics/ratio.ts";
import type { PagingGain } from "../measure/record/paging_gain.ts";
import type { BenchResult } from "../measure/record/result.ts";
import { type Caution, cautionsOf } from "./cautions.ts";
import { cellLabels } from "./labels.ts";
import { inEnglish, type Say } from "./lang.ts";
import { sayStart } from "./start_words.ts";
import { stepSentences } from "./step_sentences.ts";
import { sweepSentences } from "./sweep_sentences.ts";
import {
  formatBytes,
  formatDivergence,
  formatEstimate,
  formatMs,
  formatPercent,
  formatSignificant,
} from "./units.ts";

/** Most cells of a group of which each gets a sentence; with more, those of the overview do. */
const FEW = 4;

/** Returns the meaning of a result's numbers, in entries of one or two sentences, and the cautions. */
export function sentences(result: BenchResult): string[] {
  return [...meaningOf(result), ...cautionsIn(result).map(({ text }) => `Caution: ${text}`)];
}

/** Returns the cautions of a result. */
export function cautionsIn(result: BenchResult, t: Say = inEnglish): Caution[] {
  return cautionsOf(result, namesOf(result, t), t);
}

function namesOf({ cells }: BenchResult, t: Say): (cell: Cell) => string {
  const labels = cellLabels(cells, t);
  return (cell) => labels[cells.indexOf(cell)]!;
}

/** Returns the meaning of a result's numbers, in entries of one or two sentences. */
export function meaningOf(result: BenchResult, t: Say = inEnglish): string[] {
  const { cells, complete } = result, name = namesOf(result, t);
  const lines: string[] = [];
  if (!complete) lines.push(t`This result is incomplete: measuring was interrupted.`);
  const few = cells.length <= FEW && cells.every(({ group }) => group === 0);
  const shown = few ? cells : overviewCells(result);
  if (shown.length > 0) {
    const baseline = baselineOf(shown);
    const others = shown.filter((cell) => cell !== baseline);
    if (shown[0]?.settings.new_tokens === 1) {
      lines.push(t`One new token has no decode phase: there is no TPOT, and nothing for a cache to save.`);
    } else if (baseline !== undefined) {
      for (const cell of others) lines.push(compareDecode(cell, baseline, name, t));
    }
    if (others.length > 0) lines.push(sayMemory(others, baseline, name, t));
    const { texts, settings } = shown[0]!;
    if (few && texts !== null) {
      const [text] = texts;
      lines.push(
        t`The same ${settings.new_tokens} tokens from every ${allExact(shown) ? "" : t`exact `}strategy: ${
          JSON.stringify(text)
        }`,
      );
    }
  }
  if (result.sequences !== null) lines.push(saySequences(result.sequences, t));
  lines.push(...stepSentences(shown, name, t));
  lines.push(...sweepSentences(result, t), ...result.accuracy.map((each) => sayAccuracy(each, t)));
  if (few) lines.push(...cells.flatMap((cell) => sayQuality(cell, result, name, t)));
  if (result.start !== null) lines.push(sayStart(result.start, t));
  if (result.accuracy_missing !== null) {
    lines.push(t`The quality of what is not exact was not measured: ${result.accuracy_missing}.`);
  }
  return lines;
}

/** Says how many sequences run at once with blocks, and with regions. */
function saySequences({ regions, blocks, requests, lengths }: PagingGain, t: Say): string {
  return t`Of ${requests} requests like ${lengths}'s, ${
    formatSignificant(blocks.mean)
  } run at once with ${blocks.strategy} and ${
    formatSignificant(regions.mean)
  } with ${regions.strategy} in the same K/V memory: ${
    formatSignificant(blocks.mean / regions.mean)
  } × (simulated; serve-sim measures it).`;
}

function allExact(cells: readonly Cell[]): boolean {
  return cells.every(({ strategy }) => findStrategy(strategy)?.traits.exact ?? true);
}

/** Says how accurate narrower types are, and how much memory they save. */
function sayAccuracy(
  { weights_dtype, kv_dtype, positions, greedy_equal, max_logit_difference, stored, stored_f32 }: Accuracy,
  t: Say,
): string {
  const parts = [
    t`${weights_dtype} weights and ${kv_dtype} K/V against float32, on the first prompt: the largest logit
      belongs to the same token before ${greedy_equal} of ${positions} new tokens (${
      formatPercent(greedy_equal, positions)
    })`,
    t`no logit differs by more than ${formatSignificant(max_logit_difference)}`,
  ];
  const saved = (what: string, bytes: number, bytesF32: number) =>
    bytes === bytesF32 ? [] : [t`${what} ${formatBytes(bytes)} in place of ${formatBytes(bytesF32)}`];
  const takes = [
    ...saved(t`weights take`, stored.weights_bytes, stored_f32.weights_bytes),
    ...saved(t`a token's K/V takes`, stored.kv_bytes_per_token, stored_f32.kv_bytes_per_token),
  ];
  return t`${[...parts, ...takes].join(t`; `)}.`;
}

/** Says how far a cell's logits are from full float32; nothing where it is exact. */
function sayQuality(cell: Cell, { quality }: BenchResult, name: (cell: Cell) => string, t: Say): string[] {
  const scored = qualityOf(quality, cell);
  if (scored === undefined) return [];
  const { positions, kld: { mean }, same_top, perplexity_ratio } = scored.divergence;
  return [
    t`${name(cell)} against full float32, on ${positions} tokens of a text: KL divergence ${
      formatEstimate(mean, formatDivergence)
    } nats per token, the same likeliest token in ${formatPercent(same_top.value, 1)}, perplexity × ${
      perplexity_ratio.value.toFixed(4)
    }.`,
  ];
}

/** Compares the speed of two cells, as far as their samples show it. */
function compareDecode(cell: Cell, baseline: Cell, name: (cell: Cell) => string, t: Say): string {
  const [mine, theirs] = [cell.tpot_ms!, baseline.tpot_ms!];
  const figures = t`${formatMs(mine.median)} against ${formatMs(theirs.median)}`;
  const relation = ratioOf(theirs.samples, mine.samples);
  const { ratio, interval } = relation;
  const faster = ratio < 1;
  const times = formatSignificant(faster ? 1 / ratio : ratio);
  const claim = (detail: string) =>
    t`${name(cell)} decodes ${times} × ${detail}${faster ? t`faster` : t`slower`} per token than ${
      name(baseline)
    }`;
  switch (verdictOf(relation, 0)) {
    case "no difference":
      return t`${name(cell)} and ${
        name(baseline)
      } show no difference in decode speed beyond the spread of their runs (${figures} per token).`;
    case "too few runs":
      return t`${claim("")} (${figures}, from ${sayFew(mine.samples.length, t)}).`;
    default: {
      const [low, high] = interval!;
      const range = (faster ? [1 / high, 1 / low] : [low, high]).map(formatSignificant).join("–");
      return t`${claim(`(${range}) `)} (${figures}).`;
    }
  }
}

function sayFew(runs: number, t: Say): string {
  return t`${runs === 1 ? t`one run` : t`${runs} runs`}, so that the spread is unknown`;
}

function sayMemory(
  cells: readonly Cell[],
  baseline: Cell | undefined,
  name: (cell: Cell) => string,
  t: Say,
): string {
  const parts = cells.map((cell) => {
    const { kv_reserved_bytes, kv_used_bytes, kv_allocated_bytes, kv_tokens } = cell.memory;
    const unused = kv_reserved_bytes - kv_used_bytes, free = kv_allocated_bytes - kv_reserved_bytes;
    return t`${name(cell)} reserves ${formatBytes(kv_reserved_bytes)} of K/V for ${kv_tokens} tokens, ` +
      (unused === 0 ? t`all of it used` : t`${formatPercent(unused, kv_reserved_bytes)} of it unused`) +
      (free === 0 ? "" : t`, and leaves ${formatBytes(free)} of its pool to other requests`);
  });
  const against = baseline === undefined
    ? ""
    : t`; ${baseline.strategy} needs ${
      formatBytes(baseline.memory.kv_allocated_bytes)
    } for one layer's scratch`;
  return t`${parts.join(t`; `)}${against}.`;
}
