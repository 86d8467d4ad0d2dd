/**
 * The answer of a bench result in at most three numbers: the time that a cache saves, the memory that it takes, and the
 * sequences that paging gains.
 */
import { findStrategy } from "../kv/registry.ts";
import { baselineOf, overviewCells } from "../measure/findings/overview.ts";
import type { BenchResult } from "../measure/record/result.ts";
import { inEnglish, type Say } from "./lang.ts";
import { formatBytes, formatMs, formatSignificant } from "./units.ts";

/** One number of the answer. */
interface Answer {
  /** The number with its unit. */
  readonly value: string;
  /** Its meaning, which follows it in a sentence. */
  readonly meaning: string;
  /** Id of the chart that shows it. */
  readonly figure: string;
}

/** Returns the numbers that a result has. */
export function answersOf(result: BenchResult, t: Say = inEnglish): Answer[] {
  const cells = overviewCells(result), baseline = baselineOf(cells);
  const cached = cells.find(({ strategy }) => {
    const traits = findStrategy(strategy)?.traits;
    return traits?.keeps === "all" && !traits.shares;
  });
  const answers: Answer[] = [];
  if (baseline !== undefined && cached !== undefined) {
    const [none, some] = [baseline.tpot_ms?.median, cached.tpot_ms?.median];
    if (none !== undefined && some !== undefined) {
      answers.push({
        value: `${formatSignificant(none / some)} ×`,
        meaning: t`the decode speed of ${baseline.strategy}, with ${cached.strategy} (${
          formatMs(some)
        } per token against ${formatMs(none)})`,
        figure: "latency-tpot",
      });
    }
    const [without, peak] = [baseline, cached].map(({ memory }) => memory.peak_bytes.total) as [
      number,
      number,
    ];
    answers.push({
      value: `${peak < without ? "−" : "+"}${formatBytes(Math.abs(peak - without))}`,
      meaning: t`peak GPU memory with ${cached.strategy} (${formatBytes(peak)} against ${
        formatBytes(without)
      })`,
      figure: "peak-memory-without-weights",
    });
  }
  if (result.sequences !== null) {
    const { regions, blocks } = result.sequences;
    answers.push({
      value: `${formatSignificant(blocks.mean / regions.mean)} ×`,
      meaning:
        t`the sequences of ${regions.strategy} at once in the same K/V memory, with ${blocks.strategy} (${
          formatSignificant(blocks.mean)
        } against ${formatSignificant(regions.mean)}, simulated)`,
      figure: "sequences-at-once",
    });
  }
  return answers;
}
