/**
 * The Chinese README says what the English one says: the same commands, figures, names in code, links and parts, in the
 * same order where the languages allow it.
 */
import assert from "node:assert/strict";
import { permitted } from "./permitted.ts";

const ignore = !permitted("read");

/** What both languages must share. */
interface Shared {
  readonly fences: string[];
  readonly links: string[];
  readonly headings: string[];
  readonly rows: string[];
  readonly code: string[];
  readonly figures: string[];
}

const FENCE = /^```.*\n([\s\S]*?)^```$/gm;

function sharedOf(text: string): Shared {
  const prose = text.replaceAll(FENCE, "");
  const all = (pattern: RegExp, of = prose) => [...of.matchAll(pattern)].map((match) => match.at(-1)!);
  return {
    // What is behind a # is for readers.
    fences: all(FENCE, text).map((block) => block.replaceAll(/ *# .*$/gm, "")),
    links: all(/\]\(([^)\s]+)\)/g).filter((target) => !/^README(\.zh)?\.md$/.test(target)),
    headings: all(/^(#+) /gm),
    rows: all(/^(\|.*)$/gm).map((row) => /^\| `[^`]+` +\|/.exec(row)?.[0].replaceAll(/ +/g, " ") ?? "row"),
    code: all(/`([^`]+)`/g).sort(),
    figures: all(/\d+(?:[.,]\d+)*/g, prose.replaceAll(/`[^`]*`|\]\([^)]*\)/g, "")).sort(),
  };
}

Deno.test(
  "README.zh.md has the README's commands, figures, names, links and parts, and each leads to the other",
  {
    ignore,
  },
  async () => {
    const [english, chinese] = await Promise.all(
      ["README.md", "README.zh.md"].map((name) => Deno.readTextFile(new URL(`../${name}`, import.meta.url))),
    ) as [string, string];
    const expected = sharedOf(english), found = sharedOf(chinese);
    assert.ok(expected.fences.length >= 2 && expected.links.length > 10 && expected.figures.length > 10);
    for (const part of Object.keys(expected) as (keyof Shared)[]) {
      assert.deepEqual(found[part], expected[part], part);
    }
    assert.ok(english.includes("](README.zh.md)") && chinese.includes("](README.md)"));
    assert.match(chinese, /\p{Script=Han}{10}/u);
  },
);

Deno.test("The comparison of both READMEs sees what differs", () => {
  const text = "# A\n\nIt takes 5 ms ([more](docs/a.md)), by `x`.\n\n```sh\nrun it # now\n```\n";
  assert.deepEqual(sharedOf(text.replace("now", "现在").replace("It takes", "用时")), sharedOf(text));
  for (
    const [from, to] of [["5", "6"], ["a.md", "b.md"], ["`x`", "`y`"], ["run it", "run that"], [
      "# A",
      "A",
    ]] as const
  ) {
    assert.notDeepEqual(sharedOf(text.replace(from, to)), sharedOf(text), from);
  }
});
