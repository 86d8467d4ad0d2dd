import assert from "node:assert/strict";
import fc from "fast-check";
import { windows } from "./perplexity.ts";

Deno.test("windows() scores every token but the first once, each with what the stride leaves before it", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 300 }),
      fc.integer({ min: 2, max: 40 }),
      fc.nat(),
      (length, maxLength, n) => {
        const stride = 1 + n % (maxLength - 1);
        const scored: number[] = [];
        for (const window of windows(length, { maxLength, stride })) {
          assert.ok(window.end - window.first <= maxLength && window.scored > window.first);
          for (let i = window.scored; i < window.end; i++) scored.push(i);
        }
        assert.deepEqual(scored, Array.from({ length: Math.max(0, length - 1) }, (_, i) => i + 1));
      },
    ),
  );
});

Deno.test("windows() follows the documented example", () => {
  assert.deepEqual(windows(10, { maxLength: 6, stride: 3 }), [
    { first: 0, end: 6, scored: 1 },
    { first: 3, end: 9, scored: 6 },
    { first: 6, end: 10, scored: 9 },
  ]);
});
