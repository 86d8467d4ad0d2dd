import assert from "node:assert/strict";
import { seededRandom } from "../../base/random.ts";
import { findSteps } from "./steps.ts";

interface Series {
  readonly runs?: number;
  readonly length?: number;
  readonly seed: number;
  /** The value at a place without noise. */
  readonly of?: (i: number) => number;
}

/** Runs of a series: values within 3 % of what they should be, each run with a speed of its own, and disturbances. */
function measured({ runs = 5, length = 60, seed, of = () => 10 }: Series): number[][] {
  const random = seededRandom(seed);
  return Array.from({ length: runs }, () => {
    const speed = 1 + 0.2 * random(), drift = 0.1 * random() / length;
    return Array.from({ length }, (_, i) => {
      const disturbed = random() < 0.03 ? 1 + 2 * random() : 1;
      return of(i) * speed * (1 + drift * i) * (0.97 + 0.06 * random()) * disturbed;
    });
  });
}

Deno.test("findSteps() finds a new level and a single value where they are, through disturbances and a trend", () => {
  let right = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const level = findSteps(measured({ seed, of: (i) => 10 + 0.1 * i + (i >= 31 ? 2 : 0) }))!;
    const single = findSteps(measured({ seed, of: (i) => 10 + 0.1 * i + (i === 20 || i === 40 ? 4 : 0) }))!;
    const found = [level, single].map((steps) => steps.map(({ index, kind }) => `${kind} ${index}`).join());
    if (found[0] === "level 31" && Math.abs(level[0]!.change / 2.2 - 1) < 0.3) right++;
    if (found[1] === "single 20,single 40") right++;
  }
  assert.ok(right >= 36, `${right} of 40`);
});

Deno.test("findSteps() finds levels that fall, and those that follow each other at equal distances", () => {
  const falls = findSteps(measured({ seed: 3, of: (i) => i < 25 ? 12 : 10 }))!;
  assert.deepEqual(falls.map(({ index, change }) => [index, change < 0]), [[25, true]]);
  const stairs = findSteps(measured({ seed: 4, length: 96, of: (i) => 10 + 3 * Math.floor(i / 16) }))!;
  assert.deepEqual(stairs.map(({ index }) => index), [16, 32, 48, 64, 80]);
});

Deno.test("findSteps() names no step that noise explains: at most 3 % of series without one have one", () => {
  const slopes: readonly NonNullable<Series["of"]>[] = [
    () => 10,
    (i) => 10 + 0.4 * i,
    (i) => 5 + 0.4 * i + 0.001 * i * i,
  ];
  for (const of of slopes) {
    for (const runs of [3, 5]) {
      let named = 0;
      for (let seed = 1; seed <= 200; seed++) {
        named += findSteps(measured({ seed, runs, of }))!.length > 0 ? 1 : 0;
      }
      assert.ok(named <= 6, `${named} of 200 with ${runs} runs of ${of}`);
    }
  }
});

Deno.test("findSteps() tells nothing from two runs, or of a dozen values less one", () => {
  assert.equal(findSteps(measured({ seed: 1, runs: 2 })), undefined);
  assert.equal(findSteps(measured({ seed: 1, length: 11 })), undefined);
  assert.deepEqual(findSteps(measured({ seed: 1, length: 12 })), []);
});
