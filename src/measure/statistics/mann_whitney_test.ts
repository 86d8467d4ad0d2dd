import assert from "node:assert/strict";
import { mannWhitney } from "./mann_whitney.ts";

/** `scipy.stats.mannwhitneyu(a, b)` of scipy 1.15, with the method that suits the samples. */
const CASES: readonly { a: number[]; b: number[]; u: number; p: number; why: string }[] = [
  {
    why: "exact, uneven sizes",
    a: [1.1, 2.3, 3.0, 4.7, 5.2],
    b: [2.9, 4.1, 6.3, 7.7, 8.0, 9.9],
    u: 5,
    p: 0.08225108225108226,
  },
  { why: "exact, apart", a: [1, 2, 3, 4, 5], b: [6, 7, 8, 9, 10], u: 0, p: 0.007936507936507936 },
  { why: "ties", a: [1, 2, 2, 3, 5, 8], b: [2, 3, 3, 6, 9, 9, 9], u: 10, p: 0.12717084851192614 },
  {
    why: "many samples",
    a: Array.from({ length: 25 }, (_, i) => i * 1.7 + (i * i % 7)),
    b: Array.from({ length: 25 }, (_, i) => i * 1.9 + (i * i % 5) + 3.013),
    u: 244,
    p: 0.18703749337591546,
  },
  { why: "all equal", a: [1, 1], b: [1, 1], u: 2, p: 1 },
];

for (const { why, a, b, u, p } of CASES) {
  Deno.test(`mannWhitney() gives what scipy gives: ${why}`, () => {
    const found = mannWhitney(a, b);
    assert.equal(found.u, u);
    // 1e-6: the approximation of erfc is good to 1.2e-7.
    assert.ok(Math.abs(found.p - p) < 1e-6, `${found.p}, expected ${p}`);
    assert.equal(mannWhitney(b, a).u, a.length * b.length - u);
  });
}

Deno.test("mannWhitney() refuses an empty side", () => {
  assert.throws(() => mannWhitney([], [1]), RangeError);
});
