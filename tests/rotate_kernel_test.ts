/**
 * `rotate.wgsl` equals the definition of the Hadamard matrix, which keeps scalar products and is its own inverse.
 */
import assert from "node:assert/strict";
import { runTrial } from "../src/check/run_trial.ts";
import { HARDWARE_TUNING, SOFTWARE_TUNING } from "../src/model/tuning.ts";
import { randomArray } from "../src/model/values.ts";
import { rotateTrial } from "../wgsl/ops/rotate/operator.ts";
import { rotateCpu } from "../wgsl/ops/rotate/reference.ts";
import { assertRight, gpuTest } from "./gpu_support.ts";

for (const tuning of [SOFTWARE_TUNING, HARDWARE_TUNING]) {
  gpuTest(
    `rotate.wgsl rotates the parts that it should and copies the others (${tuning.name} tuning)`,
    async (gpu) => {
      for (const [nHead, headDim] of [[1, 4], [3, 8], [5, 16], [2, 64], [1, 256]] as const) {
        for (const parts of [[true], [true, true, false], [false, false, true], [true, true, true]]) {
          assertRight(await runTrial(gpu, rotateTrial({ nHead, headDim, tuning, parts })));
        }
      }
    },
  );
}

Deno.test("A rotation keeps scalar products, undoes itself, and spreads one channel over all", () => {
  for (const d of [4, 8, 64, 128]) {
    const a = randomArray(d, d), b = randomArray(d, d + 1);
    const dot = (x: ArrayLike<number>, y: ArrayLike<number>) =>
      Array.from(x).reduce((sum, value, i) => sum + value * y[i]!, 0);
    assert.ok(Math.abs(dot(rotateCpu(a), rotateCpu(b)) - dot(a, b)) < 1e-12 * d, String(d));
    rotateCpu(rotateCpu(a)).forEach((value, i) => assert.ok(Math.abs(value - a[i]!) < 1e-12));
    const one = new Float32Array(d);
    one[d - 1] = 1;
    rotateCpu(one).forEach((value) => assert.ok(Math.abs(Math.abs(value) - 1 / Math.sqrt(d)) < 1e-15));
  }
});
