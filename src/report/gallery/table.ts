/** The table of results of many adapters that the terminal shows above the reports of each. */
import { CLAIM_VERDICTS, type ClaimVerdict } from "../../measure/findings/claims.ts";
import { inWords } from "../lang.ts";
import { drawTable } from "../text_table.ts";
import { wrap } from "../wrap.ts";
import type { GalleryView } from "./view.ts";

/** A letter for each verdict. */
const LETTERS: Readonly<Record<ClaimVerdict, string>> = {
  "holds": "h",
  "does not hold": "n",
  "not shown by this run": "·",
};

/** Returns the report as lines of at most 80 columns, no newline at the end. */
export function galleryTable({ t, claims, heading, titles, rows, cautions }: GalleryView): string {
  const names = rows.map(({ name, kind, program }, i) => `${i + 1}  ${name} (${kind}), ${program.short}`);
  const range = t`claims 1 to ${claims.length}`;
  const table = drawTable(
    rows.map(({ check, figures, findings }, i) => [
      i + 1,
      check.outcome,
      figures.cacheGain,
      figures.pagingCost,
      figures.tpotMs,
      findings.claims.map(({ verdict }) => LETTERS[verdict]).join(""),
    ]),
    { head: ["", t`right`, "a", "b", "c", range], align: "lrrrrl" },
  );
  const columns = [["a", titles.cacheGain], ["b", titles.pagingCost], ["c", titles.tpotMs]] as const;
  const said = claims.map((claim, i) => `${i + 1}  ${claim}`);
  const legend = CLAIM_VERDICTS.map((verdict) => `${LETTERS[verdict]} ${inWords(verdict, t)}`);
  return [
    ...wrap(heading),
    "",
    table,
    "",
    `${titles.adapter}:`,
    ...names.flatMap((line) => wrap(line)),
    ...columns.flatMap(([letter, title]) => wrap(`${letter}  ${title}`)),
    `${range} (${legend.join(", ")}):`,
    ...said.flatMap((line) => wrap(line)),
    ...cautions.flatMap((text) => wrap(t`Caution: ${text}`)),
  ].join("\n");
}
