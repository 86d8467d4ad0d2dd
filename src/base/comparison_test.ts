import assert from "node:assert/strict";
import { compare, describeComparison, isRight, worst } from "./comparison.ts";

const OPTIONS = { what: "test", tolerance: 0.1, width: 2 };

Deno.test("compare() finds the largest difference and its place", () => {
  const found = compare([1, 2.5, 3, 4.25], [1, 2, 3, 4], OPTIONS);
  assert.deepEqual([found.largestError, found.at], [0.5, "row 0, column 1: 2.5, expected 2"]);
  assert.equal(isRight(found), false);
  assert.equal(isRight(compare([1.05], [1], OPTIONS)), true);
  assert.equal(
    describeComparison(found),
    "test: off by 0.5 (tolerance 0.1) at row 0, column 1: 2.5, expected 2",
  );
});

Deno.test("compare() takes a NaN on one side alone, and missing elements, for infinitely wrong", () => {
  assert.equal(compare([NaN, 1], [NaN, 1], OPTIONS).largestError, 0);
  assert.equal(compare([NaN, 1], [0, 1], OPTIONS).largestError, Infinity);
  assert.equal(compare([0, 1], [NaN, 1], OPTIONS).largestError, Infinity);
  assert.equal(compare([Infinity], [1], OPTIONS).largestError, Infinity);
  assert.equal(compare([1], [1, 2], OPTIONS).largestError, Infinity);
});

Deno.test("worst() weighs errors by their tolerances", () => {
  const exact = { what: "exact", tolerance: 0, largestError: 0, at: "" };
  const close = { what: "close", tolerance: 1e-3, largestError: 9e-4, at: "" };
  const wrong = { what: "wrong", tolerance: 1e-6, largestError: 2e-6, at: "" };
  assert.equal(worst([exact, close, wrong]), wrong);
  assert.equal(worst([{ ...exact, largestError: 1 }, wrong]).what, "exact");
});
