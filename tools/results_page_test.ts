import assert from "node:assert/strict";
import { fixtureProfile } from "../tests/fixtures/profile.ts";
import { fixtureResult } from "../tests/fixtures/result.ts";
import document from "../docs/results.md" with { type: "text" };
import { BENCH_READER } from "../src/measure/record/result.ts";
import { fieldsOf, READERS, resultsDocument } from "./results_page.ts";

/** Paths of all fields of a value, as the document writes them. */
function pathsIn(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) return value.flatMap((each) => pathsIn(each, `${path}[]`));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => {
    const at = path === "" ? key : `${path}.${key}`;
    // What these hold is named by the adapter, not by the format.
    const open = ["environment.adapter.limits", "environment.tuning"].includes(at);
    return [at, ...(open ? [] : pathsIn(each, at))];
  });
}

Deno.test("docs/results.md is what deno task docs makes of the schemas", () => {
  assert.equal(document, resultsDocument(), "run deno task docs");
});

Deno.test("docs/results.md names every field that a file holds, with a meaning", () => {
  const [bench = "", profile = ""] = document.split("## `kvbench.profile`");
  for (const [text, result] of [[bench, fixtureResult()], [profile, fixtureProfile()]] as const) {
    const named = new Set(
      [...text.matchAll(/^\| `([^`]+)` \| [^|]+ \| [^|]+ \|$/gm)].map(([, path]) => path),
    );
    assert.deepEqual(
      pathsIn(result).filter((path) => !named.has(path) && !named.has(path.replace(/[^.]+$/, "*"))),
      [],
    );
  }
});

Deno.test("docs/results.md has a meaning for every field of every kind of file", () => {
  const bare = READERS.flatMap(({ known: { kind }, jsonSchema }) =>
    fieldsOf(jsonSchema()).filter(({ meaning }) => meaning === "").map(({ path }) => `${kind}: ${path}`)
  );
  assert.deepEqual(bare, []);
});

Deno.test("fieldsOf() says types as people do", () => {
  const types = new Map(fieldsOf(BENCH_READER.jsonSchema()).map(({ path, type }) => [path, type]));
  assert.equal(types.get("kind"), '"kvbench.bench"');
  assert.equal(types.get("environment.git_commit"), "string or null");
  assert.equal(types.get("plan.grid.*"), "list of string or number");
  assert.equal(types.get("cells[].ttft_ms.median_ci"), "[number, number] or null");
  assert.equal(types.get("cells[].settings.*"), "string or number or null");
  assert.match(types.get("cells[].kv_storage")!, /^"textures" or "buffers"/);
});
