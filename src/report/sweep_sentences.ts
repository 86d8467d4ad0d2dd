/** The effect of each setting that was swept, in a sentence. */
import type { Cell } from "../measure/record/cell.ts";
import { overviewCells } from "../measure/findings/overview.ts";
import type { BenchResult } from "../measure/record/result.ts";
import { kvReserved } from "./kv_memory.ts";
import { inEnglish, type Say } from "./lang.ts";
import { formatMs, formatPercent, formatSignificant } from "./units.ts";

/** Returns a sentence for each swept setting of prompt length, batch and block size. */
export function sweepSentences(result: BenchResult, t: Say = inEnglish): string[] {
  return [
    say(
      result,
      t,
      "prompt_tokens",
      t`Longer prompts`,
      ({ tpot_ms }) => tpot_ms?.median,
      (first, last) =>
        t`from ${formatMs(first)} to ${formatMs(last)} per token (× ${formatSignificant(last / first)})`,
    ),
    say(
      result,
      t,
      "batch",
      t`Larger batches`,
      (cell) => cell.decode_tokens_per_second ?? undefined,
      (first, last) =>
        t`from ${formatSignificant(first)} to ${formatSignificant(last)} tokens/s (× ${
          formatSignificant(last / first)
        })`,
    ),
    say(
      result,
      t,
      "block_size",
      t`Larger blocks`,
      (cell) => {
        const { reserved, wasted } = kvReserved(cell);
        return wasted / reserved;
      },
      (first, last) => t`from ${formatPercent(first, 1)} to ${formatPercent(last, 1)} of reserved K/V unused`,
    ),
  ].filter((sentence) => sentence !== undefined);
}

/** Says how a figure changes from a setting's smallest to its largest value, the others being as in the overview. */
function say(
  result: BenchResult,
  t: Say,
  key: "prompt_tokens" | "batch" | "block_size",
  title: string,
  of: (cell: Cell) => number | undefined,
  words: (first: number, last: number) => string,
): string | undefined {
  const parts: string[] = [];
  let range = "";
  for (const cell of overviewCells(result)) {
    const swept = sweptWith(cell, result.cells, key);
    const [first, last] = [swept[0], swept.at(-1)];
    if (first === undefined || last === undefined || first === last) continue;
    const [a, b] = [of(first), of(last)];
    if (a === undefined || b === undefined) continue;
    range = `${first.settings[key]} → ${last.settings[key]}`;
    parts.push(t`${cell.strategy} goes ${words(a, b)}`);
  }
  return parts.length === 0 ? undefined : t`${title} (${range}): ${parts.join(t`; `)}.`;
}

/** Returns `cell` and those that differ from it only in one setting, sorted by that setting. */
export function sweptWith(cell: Cell, cells: readonly Cell[], key: string): Cell[] {
  const rest = ({ strategy, settings }: Cell) => JSON.stringify([strategy, { ...settings, [key]: null }]);
  return cells.filter((other) => (other.settings[key] ?? null) !== null && rest(other) === rest(cell))
    .sort((a, b) => Number(a.settings[key]) - Number(b.settings[key]));
}
