/** The kernels that measure an adapter's roof, against their references. */
import assert from "node:assert/strict";
import { createKernel } from "../src/gpu/kernel.ts";
import { Recorder } from "../src/gpu/recorder.ts";
import { probeLayout, PROBES } from "../src/gpu/roof.ts";
import { probeArithmeticCpu } from "../wgsl/probes/probe_arithmetic_cpu.ts";
import { probeStreamCpu } from "../wgsl/probes/probe_stream_cpu.ts";
import { download, Scratch } from "../src/check/scratch.ts";
import { randomArray } from "../src/model/values.ts";
import { assertClose, gpuTest } from "./gpu_support.ts";

const LANES = 8;

const ORDERS = [
  { order: "a private stretch a lane", laneStep: 5, tileStep: 1 },
  { order: "neighbouring tiles to neighbouring lanes", laneStep: 1, tileStep: 3 * LANES },
];

for (
  const { order, laneStep, tileStep, which } of ORDERS.flatMap((order) =>
    (["stream", "streamTexels"] as const).map((which) => ({ ...order, which }))
  )
) {
  const name = `${order}, from ${which === "stream" ? "a buffer" : "a texture"}`;
  gpuTest(`probe_stream.wgsl sums every tile once, ${name}`, async (gpu) => {
    const scratch = new Scratch(gpu);
    const data = randomArray(3 * LANES * 5 * 16, 1);
    const to = scratch.poisoned(3 * LANES * 4);
    const layout = probeLayout(gpu.device, which);
    const from = scratch.vectors(data, { texels: which === "streamTexels" });
    const kernel = await createKernel(gpu.device, {
      files: PROBES[which],
      groups: [layout],
      overrides: { TILES: 5, LANE_STEP: laneStep, TILE_STEP: tileStep, LANES },
    });
    const recorder = new Recorder(gpu.device);
    recorder.share(layout.bind({ from, to }));
    recorder.dispatch(kernel, [], 3);
    recorder.submit();
    const expected = probeStreamCpu(data, { tiles: 5, laneStep, tileStep });
    const sum = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0);
    assert.ok(Math.abs(sum(expected) - sum(data)) < 1e-3); // the steps cover the data
    assertClose(await download(gpu, to), expected, { tolerance: 1e-5, name, width: 4 });
    scratch.dispose();
  });
}

gpuTest("probe_arithmetic.wgsl does every step of every chain", async (gpu) => {
  const scratch = new Scratch(gpu);
  const start = randomArray(16, 2);
  start[12] = 0.97; // a factor and a term that keep every step visible in the result
  start[13] = 0.5;
  const to = scratch.poisoned(2 * LANES * 4);
  const layout = probeLayout(gpu.device, "arithmetic");
  const kernel = await createKernel(gpu.device, {
    files: PROBES.arithmetic,
    groups: [layout],
    overrides: { STEPS: 12, LANES },
  });
  const recorder = new Recorder(gpu.device);
  recorder.share(layout.bind({ from: scratch.upload(start), to }));
  recorder.dispatch(kernel, [], 2);
  recorder.submit();
  // Sums up to 50, of which float32 loses 1e-5 at most; a step more or less changes them by 0.1 at least.
  assertClose(await download(gpu, to), probeArithmeticCpu(start, 2 * LANES, 12), {
    tolerance: 1e-4,
    name: "probe_arithmetic.wgsl",
    width: 4,
  });
  scratch.dispose();
});
