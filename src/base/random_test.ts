import assert from "node:assert/strict";
import { seededRandom, shuffled } from "./random.ts";

/** The first `count` numbers of a seed. */
function numbers(seed: number, count: number): number[] {
  return Array.from({ length: count }, seededRandom(seed));
}

Deno.test("seededRandom() gives the same numbers for the same seed, and others for another", () => {
  assert.deepEqual(numbers(7, 65), numbers(7, 65));
  assert.notDeepEqual(numbers(7, 65), numbers(8, 65));
  assert.deepEqual(numbers(2 ** 32, 3), numbers(0, 3)); // a seed is 32 bits
});

Deno.test("seededRandom() gives what mulberry32 does", () => {
  // The reference in C, state 0: 1144304738, 1416247, 958946056 (of 2^32).
  assert.deepEqual(numbers(0, 3).map((value) => value * 2 ** 32), [1144304738, 1416247, 958946056]);
});

Deno.test("seededRandom() spreads evenly over [0, 1)", () => {
  const values = numbers(1, 10_000);
  assert.ok(values.every((value) => value >= 0 && value < 1));
  for (let tenth = 0; tenth < 10; tenth++) {
    const count = values.filter((value) => Math.floor(value * 10) === tenth).length;
    // 1000 expected, standard deviation 30: five of them on each side.
    assert.ok(Math.abs(count - 1000) < 150, `${count} values from 0.${tenth} on`);
  }
});

Deno.test("shuffled() keeps every item, leaves its argument alone, and comes to every order", () => {
  const items = Object.freeze([1, 2, 3]);
  const random = seededRandom(3);
  const counts = new Map<string, number>();
  for (let i = 0; i < 6000; i++) {
    const order = shuffled(items, random).join("");
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assert.deepEqual([...counts.keys()].sort(), ["123", "132", "213", "231", "312", "321"]);
  // 1000 expected, standard deviation 29.
  for (const [order, count] of counts) assert.ok(Math.abs(count - 1000) < 150, `${count} × ${order}`);
  assert.deepEqual(shuffled([], random), []);
});
