import assert from "node:assert/strict";
import { KvbenchError } from "../../base/errors.ts";
import { fixtureResult } from "../../../tests/fixtures/result.ts";
import { parseProfile } from "../profile/profile_result.ts";
import { BENCH_READER, parseResult } from "./result.ts";

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
  const result = fixtureResult({ grid: { block_size: [8, 16], batch: [1, 2] } });
  assert.deepEqual(parseResult(JSON.parse(JSON.stringify(result)), "run.json"), result);
});

Deno.test("parseResult() accepts a run of one token, which has no TPOT, and a result with nothing in it yet", () => {
  const result = fixtureResult({ grid: { new_tokens: [1] } });
  assert.equal(result.cells[0]?.tpot_ms, null);
  assert.deepEqual(parseResult(result, "run.json"), result);
  const empty = { ...result, complete: false, cells: [], groups: [] };
  assert.deepEqual(parseResult(empty, "run.json"), empty);
});

Deno.test("parseResult() reads a file from before backends were recorded, and refuses one that does not exist", () => {
  const older = changed(({ environment }) => delete (environment.adapter as { backend?: string }).backend);
  assert.equal(parseResult(older, "run.json").environment.adapter.backend, "unknown");
  const odd = changed(({ environment }) => (environment.adapter as { backend: string }).backend = "glide");
  assert.match(messageOf(odd), /environment\.adapter\.backend is not valid/);
});

Deno.test("parseResult() reads a file from before checks were recorded, and takes nothing for a check of it", () => {
  const older = changed((json) => {
    Object.assign(json, { schema_version: 5 });
    Reflect.deleteProperty(json, "self_check");
  });
  assert.equal(parseResult(older, "run.json").self_check, null);
});

Deno.test("parseResult() accepts synthetic weights", () => {
  const result = fixtureResult();
  result.model.weights = { source: "synthetic", seed: 3 };
  assert.deepEqual(parseResult(result, "run.json"), result);
});

Deno.test("parseResult() names the offending field by its path, in one line", () => {
  const message = messageOf(changed((json) => Object.assign(json.cells[1]!.ttft_ms, { median: "fast" })));
  assert.equal(
    message,
    "Cannot read run.json: cells[1].ttft_ms.median is not valid: expected number, received string",
  );
});

Deno.test("parseResult() counts the faults that it does not name", () => {
  const message = messageOf(
    changed((json) => Object.assign(json.model, { n_layer: 0, n_head: -1, n_embd: 1.5 })),
  );
  assert.match(message, /^Cannot read run\.json: model\.n_layer is not valid: .* \(and 2 more\)$/);
  assert.doesNotMatch(message, /\n/);
});

Deno.test("parseResult() refuses missing and unknown fields, numbers that JSON cannot hold, and lost groups", () => {
  assert.match(messageOf(changed((json) => Reflect.deleteProperty(json.plan, "seed"))), /plan\.seed/);
  assert.match(messageOf(changed((json) => Object.assign(json, { extra: 1 }))), /the top level.*extra/);
  assert.match(messageOf(changed((json) => json.cells[0]!.e2e_ms.samples[2] = NaN)), /e2e_ms\.samples\[2\]/);
  assert.match(
    messageOf(changed((json) => json.cells[1]!.yardstick_ms.pop())),
    /cells\[1\] .* expected 5 runs/,
  );
  assert.match(
    messageOf(changed((json) => json.groups.splice(0))),
    /cells\[0\] is not valid: its group 0 is missing/,
  );
});

Deno.test("parseResult() refuses another version with both versions in the message, and why where it is known", () => {
  const message = (schema_version: number) =>
    messageOf(changed((json) => Object.assign(json, { schema_version })));
  for (const old of [1, 2]) {
    const reason = new RegExp(
      `its schema_version is ${old}, this kvbench reads 3, 4, 5, 6, since it .+: measure again$`,
    );
    assert.match(message(old), reason);
  }
  assert.match(message(7), /its schema_version is 7, this kvbench reads 3, 4, 5, 6$/);
});

Deno.test("parseResult() refuses what is no result at all, and says what it is", () => {
  for (const json of [null, [], "text", {}]) {
    assert.match(messageOf(json), /it is no result, expected an object of kind/);
  }
  assert.match(messageOf({ kind: "kvbench.profile", schema_version: 1 }), /of kind "kvbench\.profile"/);
});

Deno.test("parseProfile() reads a profile and names what is wrong with one", () => {
  const profile = {
    schema_version: 1,
    kind: "kvbench.profile",
    created: "2026-01-02T03:04:05.678Z",
    command: ["profile"],
    environment: fixtureResult().environment,
    model: "tiny",
    weights_dtype: "f32",
    kv_dtype: "f32",
    strategy: "kv-cache",
    prompt_tokens: 126,
    steps: 1,
    what: "a decode step of kv-cache at context 128",
    peaks: { gb_per_s: 10, gmacs_per_s: 20 },
    kernels: [{ kernel: "linear", dispatches: 4, ms: 1, bytes: 100, operations: 50 }],
    prefill_kernels: [{ kernel: "linear", dispatches: 4, ms: 2, bytes: 100, operations: 50 }],
    step: { wall_ms: 1.25, encode_ms: 0.1, submit_ms: 0.1, pass_ms: 1, kernels_ms: 1.1 },
  };
  assert.deepEqual(parseProfile(profile, "p.json"), profile);
  assert.throws(() => parseProfile({ ...profile, kernels: [] }, "p.json"), /p\.json: kernels is not valid/);
});

Deno.test("BENCH_READER.jsonSchema() describes every field", () => {
  const visit = (node: unknown, path: string): void => {
    if (typeof node !== "object" || node === null) return;
    const properties = "properties" in node ? node.properties : undefined;
    for (const [key, value] of Object.entries(properties ?? {})) {
      const described = typeof value === "object" && value !== null && "description" in value;
      assert.ok(described, `${path}.${key} has no description`);
      visit(value, `${path}.${key}`);
    }
    if ("items" in node) visit(node.items, `${path}[]`);
    if ("anyOf" in node && Array.isArray(node.anyOf)) node.anyOf.forEach((each) => visit(each, path));
  };
  const schema = BENCH_READER.jsonSchema();
  assert.ok("properties" in schema);
  visit(schema, "");
});

Deno.test("parseResult() reads version 5, which had neither the work of each token nor the start", () => {
  const older = changed((json) => {
    Object.assign(json, { schema_version: 5, start: undefined });
    for (const { memory: { timeline } } of json.cells) {
      Object.assign(timeline, { created_buffers: undefined, created_bytes: undefined, splits: undefined });
    }
  });
  const { schema_version, start, cells } = parseResult(JSON.parse(JSON.stringify(older)), "run.json");
  assert.deepEqual([schema_version, start], [6, null]);
  for (const { memory: { timeline } } of cells) {
    assert.deepEqual([timeline.created_buffers, timeline.created_bytes, timeline.splits], [null, null, null]);
    assert.ok(timeline.total_bytes.length > 0);
  }
});
