import assert from "node:assert/strict";
import { KvbenchError } from "../errors.ts";
import { fixtureResult } from "../../tests/fixtures/result.ts";
import { parseResult, resultJsonSchema } from "./result.ts";

/** The fixture as plain JSON, changed by `change`. */
function changed(change: (json: ReturnType<typeof fixtureResult>) => unknown): unknown {
  const json = structuredClone(fixtureResult());
  change(json);
  return json;
}

function messageOf(json: unknown): string {
  try {
    parseResult(json, "run.json");
  } catch (error) {
    assert.ok(error instanceof KvbenchError);
    return error.message;
  }
  throw new assert.AssertionError({ message: "parseResult() accepted it" });
}

Deno.test("parseResult() gives back what was written", () => {
  const result = fixtureResult();
  assert.deepEqual(parseResult(JSON.parse(JSON.stringify(result)), "run.json"), result);
});

Deno.test("parseResult() accepts a run of one token, which has no TPOT", () => {
  const result = fixtureResult({ newTokens: 1 });
  assert.equal(result.results[0]?.tpot_ms.median, null);
  assert.deepEqual(parseResult(result, "run.json"), result);
});

Deno.test("parseResult() names the offending field by its path, in one line", () => {
  const message = messageOf(changed((json) => Object.assign(json.results[1]!.ttft_ms, { median: "fast" })));
  assert.equal(
    message,
    "Cannot read run.json: results[1].ttft_ms.median is not valid: expected number, received string",
  );
});

Deno.test("parseResult() counts the faults that it does not name", () => {
  const message = messageOf(
    changed((json) => Object.assign(json.model, { n_layer: 0, n_head: -1, n_embd: 1.5 })),
  );
  assert.match(message, /^Cannot read run\.json: model\.n_layer is not valid: .* \(and 2 more\)$/);
  assert.doesNotMatch(message, /\n/);
});

Deno.test("parseResult() refuses missing and unknown fields, and numbers that JSON cannot hold", () => {
  assert.match(messageOf(changed((json) => Reflect.deleteProperty(json.workload, "seed"))), /workload\.seed/);
  assert.match(messageOf(changed((json) => Object.assign(json, { extra: 1 }))), /the top level.*extra/);
  assert.match(
    messageOf(changed((json) => json.results[0]!.e2e_ms.samples[2] = NaN)),
    /e2e_ms\.samples\[2\]/,
  );
  assert.match(messageOf(changed((json) => json.results.splice(0))), /results is not valid/);
});

Deno.test("parseResult() refuses another version with both versions in the message", () => {
  const message = messageOf(changed((json) => Object.assign(json, { schema_version: 2 })));
  assert.equal(message, "Cannot read run.json: its schema_version is 2, this kvbench reads 1");
});

Deno.test("parseResult() refuses what is no result at all", () => {
  for (const json of [null, [], "text", {}, { kind: "other", schema_version: 1 }]) {
    assert.match(messageOf(json), /is not a bench result/);
  }
});

Deno.test("resultJsonSchema() describes every field", () => {
  const visit = (node: unknown, path: string): void => {
    if (typeof node !== "object" || node === null) return;
    const properties = "properties" in node ? node.properties : undefined;
    for (const [key, value] of Object.entries(properties ?? {})) {
      const described = typeof value === "object" && value !== null && "description" in value;
      assert.ok(described, `${path}.${key} has no description`);
      visit(value, `${path}.${key}`);
    }
    if ("items" in node) visit(node.items, `${path}[]`);
  };
  const schema = resultJsonSchema();
  assert.ok("properties" in schema);
  visit(schema, "");
});
