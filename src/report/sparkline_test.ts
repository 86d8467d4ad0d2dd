import assert from "node:assert/strict";
import { sparkline } from "./sparkline.ts";

Deno.test("sparkline() draws from zero, so that equal heights are equal values", () => {
  assert.equal(sparkline([0, 1, 2, 4, 8], 8), "▁▂▃▅█");
  assert.equal(sparkline([7.9, 8, 8], 8), "███", "no value is above the tallest block");
});

Deno.test("sparkline() draws the median of the values that a block stands for", () => {
  assert.equal(sparkline([1, 1, 8, 4, 4, 4], 8, 2), "▂▅");
  assert.equal(sparkline(Array.from({ length: 1000 }, (_, i) => i), 1000, 4), "▁▃▅▇");
});
