import assert from "node:assert/strict";
import { largestIndices, logProbability, logSumExp } from "./log_probabilities.ts";

Deno.test("logProbability() is the logarithm of softmax, for large logits too", () => {
  const logits = Float32Array.of(1, 2, 3, 1000, 999);
  assert.ok(Math.abs(logSumExp(logits) - (1000 + Math.log1p(Math.exp(-1)))) < 1e-12);
  assert.ok(Math.abs(logProbability(logits, 4) - (-1 - Math.log1p(Math.exp(-1)))) < 1e-12);
});

Deno.test("largestIndices() gives the largest first, and the lowest index among equals", () => {
  assert.deepEqual(largestIndices([3, 9, 9, -1, 5, 9], 4), [1, 2, 5, 4]);
  assert.deepEqual(largestIndices([3, 9], 4), [1, 0]);
  assert.deepEqual(largestIndices([3, 9], 0), []);
});
