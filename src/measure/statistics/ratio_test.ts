import assert from "node:assert/strict";
import { seededRandom } from "../../base/random.ts";
import { ratioOf, verdictOf } from "./ratio.ts";

function around(centre: number, count: number, seed: number): number[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => centre * (0.97 + 0.06 * random()));
}

Deno.test("verdictOf() says slower or faster only beyond the threshold", () => {
  const base = around(100, 20, 1);
  const verdict = (centre: number, threshold: number) =>
    verdictOf(ratioOf(base, around(centre, 20, 2)), threshold);
  assert.equal(verdict(110, 0.05), "slower");
  assert.equal(verdict(90, 0.05), "faster");
  assert.equal(verdict(103, 0.05), "no difference");
  assert.equal(verdict(100, 0), "no difference");
});

Deno.test("verdictOf() wants enough runs for a test", () => {
  assert.equal(verdictOf(ratioOf([1, 1.1, 1.2], [5, 5.1, 5.2]), 0.05), "too few runs");
  assert.equal(verdictOf(ratioOf([1], [5, 5.1, 5.2, 5.3]), 0.05), "too few runs");
  assert.equal(verdictOf(ratioOf([1, 1.1, 1.2, 1.3], [5, 5.1, 5.2, 5.3]), 0.05), "slower");
});

Deno.test("ratioOf() divides the later by the earlier", () => {
  const { ratio, interval } = ratioOf([10, 10, 10, 10], [12, 12, 12, 12]);
  assert.equal(ratio, 1.2);
  assert.deepEqual(interval, [1.2, 1.2]);
});
