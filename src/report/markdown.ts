/** Results as GitHub-flavoured Markdown. */
import type { BenchResult } from "../measure/record/result.ts";
import { claimsNote, saidClaims } from "./claims.ts";
import { shortRows } from "./rows.ts";
import { CLAIMS_TITLE } from "./said_claim.ts";
import { sentences } from "./sentences.ts";

/** Formats a table, with the text of its cells escaped. The first column is aligned left, numbers right. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escapeMarkdown).join(" | ")} |`;
  const numeric = head.map((_, i) => i > 0 && rows.every((row) => /^$|^[\d.]/.test(row[i]!)));
  return [line(head), `| ${numeric.map((right) => right ? "---:" : "---").join(" | ")} |`, ...rows.map(line)]
    .join("\n");
}

/** Formats results as a table in llama-bench's style, with notes below. */
export function markdown(results: readonly BenchResult[]): string {
  const { head, rows } = shortRows(results);
  const notes = results.flatMap((result) => {
    const { kvbench, git_commit, deno, adapter } = result.environment;
    const build = git_commit === null ? "" : ` (${git_commit.slice(0, 10)})`;
    return [
      `kvbench ${kvbench}${build}, Deno ${deno}, ${adapter.description}, ${result.created.slice(0, 10)}. ` +
      "Medians ± half of their 95 % intervals.",
      ...sentences(result),
    ];
  });
  return [
    markdownTable(head, rows),
    "",
    ...notes.map((note) => `- ${escapeMarkdown(note)}`),
    ...results.flatMap(claimsTable),
  ].join("\n");
}

function claimsTable(result: BenchResult): string[] {
  const claims = saidClaims(result);
  if (claims.length === 0) return [];
  const rows = claims.map(({ claim, verdict, figures }) => [claim, verdict, figures]);
  return ["", markdownTable([CLAIMS_TITLE, "", "figures"], rows), "", escapeMarkdown(claimsNote(result))];
}

/** Escapes text for Markdown and HTML, and puts it on one line. */
export function escapeMarkdown(text: string): string {
  return text.replaceAll(/\s+/g, " ")
    .replaceAll(/[\\`*_[\]|#~]/g, "\\$&")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}
