/**
 * The table of results of many adapters that the terminal shows above the reports of each.
 *
 * @module
 */
import type { ClaimVerdict } from "../../measure/findings/claims.ts";
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
export function galleryTable({ t, claimWords, heading, titles, rows, cautions }: GalleryView): string {
  const names = rows.map(({ name, kind, program }, i) => `${i + 1}  ${name} (${kind}), ${program.short}`);
  const claims = t`claims 1 to ${rows[0]!.findings.claims.length}`;
  const table = drawTable(
    rows.map(({ check, figures, findings }, i) => [
      i + 1,
      check.outcome,
      figures.cacheGain,
      figures.pagingCost,
      figures.tpotMs,
      findings.claims.map(({ verdict }) => LETTERS[verdict]).join(""),
    ]),
    { head: ["", t`right`, "a", "b", "c", claims], align: "lrrrrl" },
  );
  const columns = [["a", titles.cacheGain], ["b", titles.pagingCost], ["c", titles.tpotMs]] as const;
  const said = rows[0]!.findings.claims.map(({ claim }, i) => `${i + 1}  ${claimWords.claims[claim]}`);
  const legend = Object.entries(LETTERS).map(([verdict, letter]) =>
    `${letter} ${claimWords.verdicts[verdict as ClaimVerdict]}`
  );
  return [
    ...wrap(heading),
    "",
    table,
    "",
    `${titles.adapter}:`,
    ...names.flatMap((line) => wrap(line)),
    ...columns.flatMap(([letter, title]) => wrap(`${letter}  ${title}`)),
    `${claims} (${legend.join(", ")}):`,
    ...said.flatMap((line) => wrap(line)),
    ...cautions.flatMap((text) => wrap(t`Caution: ${text}`)),
  ].join("\n");
}
