/**
 * The terminal report of a ladder.
 *
 * @module
 */
import type { LadderResult } from "../../measure/ladder/ladder_result.ts";
import type { Lang } from "../lang.ts";
import { drawTable } from "../text_table.ts";
import { wrap } from "../wrap.ts";
import { ladderView } from "./view.ts";

/** Returns the report as lines of at most 80 columns, no newline at the end. */
export function ladderTable(result: LadderResult, lang: Lang = "en"): string {
  const { words, heading, rungs, whole, product, answer, sentences, published, cautions, claims } =
    ladderView(
      result,
      lang,
    );
  const { columns } = words;
  const table = drawTable([
    ...rungs.map(({ label, time, gain, peak }) => [label, time, gain, peak]),
    [words.whole, "", whole, ""],
    [words.product, "", product, ""],
  ], { head: [columns.rung, columns.msPerToken, columns.factor, columns.peak], align: "lr" });
  return [
    ...wrap(heading),
    "",
    table,
    "",
    ...wrap(answer),
    ...sentences.flatMap((line) => wrap(`- ${line}`)),
    "",
    ...wrap(published.said),
    ...published.differences.flatMap((line) => wrap(`- ${line}`)),
    "",
    ...cautions.flatMap((line) => wrap(words.caution(line))),
    ...cautions.length > 0 ? [""] : [],
    words.claimsTitle,
    ...claims.flatMap((each) => wrap(`- ${words.claim(each)}`)),
    ...wrap(words.claimsNote),
  ].join("\n");
}
