/** The part of `docs/gallery.md` that shows the results. */
import type { NamedResult } from "../../src/measure/record/one_plan.ts";
import { galleryView } from "../../src/report/gallery/view.ts";
import { markdownTable } from "../../src/report/markdown.ts";
import { commitOfKernels, KNOWN_KERNELS, type KnownKernels } from "./accept.ts";

/** Makes the tables of figures and of verdicts, a row an adapter, and what is to be said of them. */
export function galleryMarkdown(
  accepted: readonly NamedResult[],
  kernels: readonly KnownKernels[] = KNOWN_KERNELS,
): string {
  const view = galleryView(accepted.map(({ result }) => result), "en");
  const { titles, rows, cautions } = view;
  const figures = ["cacheGain", "pagingCost", "tpotMs", "cacheBytes"] as const;
  const adapter = ({ name, kind }: typeof rows[number]) => `${name}, ${kind}`;
  const table = markdownTable(
    [
      titles.check,
      titles.adapter,
      ...figures.map((name) => titles[name]),
      "kernels of commit",
      "file",
    ],
    rows.map((row) => [
      `${row.check.outcome} (${row.check.closest})`,
      adapter(row),
      ...figures.map((name) => row.figures[name]),
      commitOfKernels(row.result, kernels)!.slice(0, 7),
      accepted.find(({ result }) => result === row.result)!.path,
    ]),
  );
  const claims = markdownTable(
    [titles.adapter, ...view.claims],
    rows.map((row) => [adapter(row), ...row.findings.claims.map(({ verdict }) => verdict)]),
  );
  return [
    `${view.heading}.`,
    "",
    table,
    "",
    claims,
    "",
    ...cautions.map((text) => `- Caution: ${text}`),
  ].join("\n");
}
