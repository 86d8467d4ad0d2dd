/**
 * What kvbench asks a GPU for, held against what was recorded: kernels, grids, bindings, tables and bytes of every
 * strategy, storage type and default tuning. See golden_trace/README.md.
 */
import assert from "node:assert/strict";
import { permitted } from "./permitted.ts";
import { differences } from "./trace/differences.ts";
import { FOLDER, traceFiles } from "./trace/files.ts";

const RECORD = "deno run --allow-read --allow-write=tests/golden_trace tests/trace/record.ts";

Deno.test(
  "Every step asks the GPU for what the golden trace says",
  { ignore: !permitted("read") },
  async () => {
    const files = await traceFiles();
    const recorded = [...Deno.readDirSync(FOLDER)].map(({ name }) => name).filter((name) =>
      name.endsWith(".txt")
    );
    const found = [...new Set([...recorded, ...files.keys()])].sort().flatMap((name) => {
      const before = recorded.includes(name) ? Deno.readTextFileSync(new URL(name, FOLDER)) : "";
      return differences(name, before, files.get(name) ?? "");
    });
    assert.ok(
      found.length === 0,
      `The trace differs. Where that is meant, record it anew and say why: ${RECORD}\n${found.join("\n")}`,
    );
  },
);

Deno.test("differences() shows removed and added lines under their section, and nothing of equal texts", () => {
  const before = "=== one\na\nb\n=== two\nc\nd\n";
  assert.deepEqual(differences("x.txt", before, before), []);
  assert.deepEqual(differences("x.txt", before, before.replace("c\n", "C\ncc\n").replace("b\n", "")), [
    "x.txt:",
    "@@ line 3, === one",
    "- b",
    "@@ line 5, === two",
    "- c",
    "+ C",
    "+ cc",
  ]);
});
