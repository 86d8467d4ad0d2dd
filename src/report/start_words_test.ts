import assert from "node:assert/strict";
import { fixtureResult } from "../../tests/fixtures/result.ts";
import { sayStart, startKind } from "./start_words.ts";

const START = fixtureResult().start!;

Deno.test("sayStart() says whether a start was cold, why, and what took how long", () => {
  assert.equal(
    sayStart(START),
    "Start: cold start, as the driver's cache lacked some kernels; no kernel variants were remembered. " +
      "Measuring began after 7400 ms (finding the model 3.50 ms, weights 210 ms, first kernels 0.400 ms, " +
      "trying kernel variants 4900 ms).",
  );
  const warm = sayStart({ ...START, driver_cache: "full", tuning_remembered: true, tuning_ms: 0 });
  assert.match(
    warm,
    /^Start: warm start, .*; kernel variants were remembered\. .*first kernels 0\.400 ms\)\.$/,
  );
});

Deno.test("startKind() calls a start cold unless the driver had every kernel, and says when that is not known", () => {
  const kinds = (["empty", "partial", "full", "unknown"] as const)
    .map((driver_cache) => startKind({ ...START, driver_cache }));
  assert.deepEqual(kinds, ["cold start", "cold start", "warm start", "cold or warm start unknown"]);
});
