import assert from "node:assert/strict";
import fc from "fast-check";
import { frontierOf, type Trade } from "./pareto.ts";

Deno.test("frontierOf() keeps what nothing beats, by cost", () => {
  const trades: Trade[] = [[4, 1], [1, 9], [2, 5], [3, 5], [2, 7], [5, 1], [9, 0]];
  assert.deepEqual(frontierOf(trades, (trade) => trade), [[1, 9], [2, 5], [4, 1], [9, 0]]);
});

Deno.test("Everything is on the frontier, or is beaten by something on it", () => {
  const number = fc.integer({ min: 0, max: 6 });
  fc.assert(fc.property(fc.array(fc.tuple(number, number)), (trades) => {
    const frontier = frontierOf(trades, (trade) => trade);
    for (const [cost, loss] of trades) {
      assert.ok(frontier.some(([c, l]) => c <= cost && l <= loss));
    }
    for (const [cost, loss] of frontier) {
      assert.ok(!trades.some(([c, l]) => c <= cost && l <= loss && (c < cost || l < loss)));
    }
  }));
});
