import assert from "node:assert/strict";
import { seededRandom } from "../../base/random.ts";
import { mean, median, medianInterval, percentile, standardDeviation, tukeyOutliers } from "./statistics.ts";

Deno.test("median() takes the middle sample, or the middle of two, whatever their order", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([10, 4, 1, 3]), 3.5);
  assert.equal(median([7]), 7);
});

Deno.test("percentile() gives what numpy.percentile gives", () => {
  // np.percentile([1, 2, 4, 8, 16], [0, 10, 25, 50, 90, 99, 100])
  const expected = [[0, 1], [10, 1.4], [25, 2], [50, 4], [90, 12.8], [99, 15.68], [100, 16]] as const;
  for (const [p, value] of expected) {
    // 1e-12: the interpolation rounds once or twice in f64.
    assert.ok(Math.abs(percentile([16, 1, 8, 2, 4], p) - value) < 1e-12, `p${p}`);
  }
});

Deno.test("mean() divides the sum by the count, standardDeviation() by one less", () => {
  assert.equal(mean([1, 2, 6]), 3);
  assert.equal(standardDeviation([1, 2, 6]), Math.sqrt(14 / 2)); // np.std(…, ddof=1)
  assert.equal(standardDeviation([5]), 0);
});

Deno.test("tukeyOutliers() tells mild from severe ones, on both sides, by index", () => {
  // Quartiles 10 and 14 without the outliers' pull: fences at 4 and 20, and at -2 and 26.
  const samples = [10, 10, 12, 14, 14, 3, 21, 27, -3, 12, 12, 10, 14];
  assert.deepEqual(tukeyOutliers(samples), { mild: [5, 6], severe: [7, 8] });
  assert.deepEqual(tukeyOutliers([1]), { mild: [], severe: [] });
});

Deno.test("medianInterval() holds the median about as often as it says", () => {
  const random = seededRandom(9);
  let held = 0;
  for (let i = 0; i < 1000; i++) {
    const [low, high] = medianInterval(Array.from({ length: 25 }, () => random() ** 2));
    if (low <= 0.25 && 0.25 <= high) held++;
  }
  // At least 95 % in theory, since ranks are whole; four standard deviations of 1000 trials are 2.5 %.
  assert.ok(held >= 930, `${held} of 1000`);
  assert.deepEqual(medianInterval([3, 1, 2]), [1, 3]);
});

Deno.test("Statistics leave the samples as they were", () => {
  const samples = Object.freeze([3, 1, 2]);
  median(samples);
  tukeyOutliers(samples);
  assert.deepEqual(samples, [3, 1, 2]);
});

Deno.test("Statistics refuse an empty list and a percentile out of range", () => {
  assert.throws(() => mean([]), { name: "RangeError", message: /0 samples/ });
  assert.throws(() => median([]), RangeError);
  assert.throws(() => percentile([1], 101), { name: "RangeError", message: /101/ });
  assert.throws(() => percentile([1], NaN), RangeError);
});
