/** The terminal report of a ladder. */
import type { LadderResult } from "../../measure/ladder/ladder_result.ts";
import { DEFAULT_LANG, inWords, type Lang } from "../lang.ts";
import { claimLine, CLAIMS_TITLE } from "../said_claim.ts";
import { sayIn } from "../say.ts";
import { drawTable } from "../text_table.ts";
import { wrap } from "../wrap.ts";
import { ladderView } from "./view.ts";

/** Returns the report as lines of at most 80 columns, no newline at the end. */
export function ladderTable(result: LadderResult, lang: Lang = DEFAULT_LANG): string {
  const t = sayIn(lang), view = ladderView(result, t), { titles, published, cautions } = view;
  const table = drawTable([
    ...view.rungs.map(({ label, time, gain, peak }) => [label, time, gain, peak]),
    [titles.whole, "", view.whole, ""],
    [titles.product, "", view.product, ""],
  ], { head: [titles.rung, titles.msPerToken, titles.factor, titles.peak], align: "lr" });
  return [
    ...wrap(view.heading),
    "",
    table,
    "",
    ...wrap(view.answer),
    ...view.sentences.flatMap((line) => wrap(`- ${line}`)),
    "",
    ...wrap(published.said),
    ...published.differences.flatMap((line) => wrap(`- ${line}`)),
    "",
    ...cautions.flatMap((line) => wrap(t`Caution: ${line}`)),
    ...cautions.length > 0 ? [""] : [],
    inWords(CLAIMS_TITLE, t),
    ...view.claims.flatMap((each) => wrap(claimLine(each, t))),
    ...wrap(view.claimsNote),
  ].join("\n");
}
