/** Every row of the fault table names tests that are there. */
import assert from "node:assert/strict";
import { permitted } from "./permitted.ts";

const ROOT = new URL("../", import.meta.url);
const WHAT_STANDS_THERE = /\$\{(?:[^{}]|\{[^{}]*\})*\}/g;

/** Texts of a source, as they stand there; in templates, … stands for what is put in. */
function textsIn(source: string): Set<string> {
  const texts = source.matchAll(/(["`])((?:\\.|(?!\1)[^\\\n])*)\1/g);
  return new Set([...texts].map(([, , text]) => text!.replaceAll(WHAT_STANDS_THERE, "…")));
}

Deno.test(
  "Every row of docs/faults.md names tests that are there",
  { ignore: !permitted("read") },
  async () => {
    const lines = (await Deno.readTextFile(new URL("docs/faults.md", ROOT))).split("\n");
    const rows = lines.filter((line) => line.startsWith("|") && !/^\| (?:fault|---) /.test(line));
    assert.ok(rows.length > 40, `${rows.length} rows`);
    for (const row of rows) {
      const cells = row.split("|").map((cell) => cell.trim());
      assert.equal(cells.length, 5, `wanted fault, promise and test: ${row}`);
      const [, fault = "", promise = "", tests = ""] = cells;
      assert.ok(fault !== "" && promise !== "", row);
      for (const test of tests.split("<br>")) {
        const [, file, name] = /^`([\w/]+_test\.ts)` “([^“”]+)”$/.exec(test.trim()) ?? [];
        assert.ok(file !== undefined && name !== undefined, `wanted a file and a name: ${test}`);
        const source = await Deno.readTextFile(new URL(file, ROOT));
        assert.ok(textsIn(source).has(name), `${file} has no test “${name}”`);
      }
    }
  },
);
