import assert from "node:assert/strict";
import { precision, summarise } from "./summary.ts";

Deno.test("summarise() keeps the samples and says everything about them, the same each time", () => {
  const samples = [10, 12, 11, 40, 9, 11, 10, 12];
  const summary = summarise(samples, 7);
  assert.deepEqual(summary.samples, samples);
  assert.equal(summary.median, 11);
  assert.equal(summary.min, 9);
  assert.equal(summary.max, 40);
  assert.deepEqual(summary.outliers, { mild: [], severe: [3] });
  const [low, high] = summary.median_ci!;
  assert.ok(9 <= low && low <= 11 && 11 <= high && high < 40);
  assert.deepEqual(summarise(samples, 7), summary);
});

Deno.test("precision() is half of the interval over the median, and unknown of two runs", () => {
  assert.equal(precision({ median: 10, median_ci: [9, 12] }), 0.15);
  assert.equal(precision(summarise([1, 2], 0)), Infinity);
});
