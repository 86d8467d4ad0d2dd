import assert from "node:assert/strict";
import { bootstrapInterval, bootstrapRatio } from "./bootstrap.ts";
import { seededRandom } from "../../base/random.ts";
import { mean, median } from "./statistics.ts";

/** Samples of a normal distribution, by Box and Muller. */
function normal(count: number, centre: number, spread: number, random: () => number): number[] {
  return Array.from(
    { length: count },
    () => centre + spread * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  );
}

Deno.test("bootstrapInterval() holds the true value about as often as it says", () => {
  const random = seededRandom(11);
  let held = 0;
  const rounds = 300;
  for (let i = 0; i < rounds; i++) {
    const [low, high] = bootstrapInterval(normal(30, 100, 10, random), mean, random)!;
    if (low <= 100 && 100 <= high) held++;
  }
  // 95 % in theory, a little less with 30 samples; three standard deviations of 300 trials are 4 %.
  assert.ok(held / rounds > 0.89 && held / rounds < 0.99, `${held} of ${rounds}`);
});

Deno.test("bootstrapInterval() is as wide as theory says, and the same for the same seed", () => {
  const samples = normal(200, 50, 5, seededRandom(3));
  const interval = bootstrapInterval(samples, mean, seededRandom(1))!;
  const width = interval[1] - interval[0];
  const theory = 2 * 1.96 * 5 / Math.sqrt(200);
  assert.ok(Math.abs(width / theory - 1) < 0.15, `${width}, expected about ${theory}`);
  assert.deepEqual(bootstrapInterval(samples, mean, seededRandom(1)), interval);
});

Deno.test("bootstrapRatio() holds the ratio, and is null with fewer than 3 samples", () => {
  const random = seededRandom(5);
  const a = normal(40, 100, 5, random), b = normal(40, 110, 5, random);
  const [low, high] = bootstrapRatio(a, b, median, random)!;
  assert.ok(low < 1.1 && 1.1 < high && high - low < 0.1, `${low} to ${high}`);
  assert.equal(bootstrapRatio([1, 2], [1, 2, 3], median, random), null);
  assert.equal(bootstrapInterval([1, 2], median, random), null);
});
