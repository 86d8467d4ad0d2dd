import assert from "node:assert/strict";
import { linearVariants } from "./autotune/variants.ts";
import { BROADCAST_TUNING, HARDWARE_TUNING, SIXTEEN_TUNING, SOFTWARE_TUNING, tuningFor } from "./tuning.ts";

Deno.test("tuningFor() hands inputs around where a CPU's subgroups surely have eight lanes, and fills sixteen", () => {
  const of = (software: boolean, subgroupLanes?: readonly [number, number]) =>
    tuningFor({ software, backend: "vulkan", subgroupLanes });
  assert.equal(of(true, [8, 8]), BROADCAST_TUNING);
  assert.equal(of(true, [16, 16]), SIXTEEN_TUNING);
  assert.equal(of(true, [8, 16]), BROADCAST_TUNING);
  assert.equal(of(true, [4, 4]), SOFTWARE_TUNING);
  assert.equal(of(true, [4, 8]), SOFTWARE_TUNING);
  assert.equal(of(true), SOFTWARE_TUNING);
  assert.equal(of(false, [32, 32]), HARDWARE_TUNING);
});

Deno.test("linearVariants() hands inputs around on the same devices", () => {
  const broadcasts = (lanes: number) =>
    linearVariants({
      features: new Set<GPUFeatureName>(["subgroups"]),
      adapterInfo: { subgroupMinSize: lanes, subgroupMaxSize: lanes } as GPUAdapterInfo,
    }).filter(({ broadcastRows }) => broadcastRows);
  assert.equal(broadcasts(4).length, 0);
  assert.ok(broadcasts(8).length > 0);
  assert.ok(broadcasts(8).every(({ wideRows }) => wideRows));
});
