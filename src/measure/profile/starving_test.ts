import assert from "node:assert/strict";
import { GPU_KINDS, starvesFrom } from "./starving.ts";

Deno.test("starvesFrom() finds the smallest GPU with more units than workgroups, or that waits longer than it works", () => {
  const work = { bytes: 9.6e6, macs: 0, workgroups: 1000, waits: 1 };
  assert.equal(starvesFrom(work), undefined); // 2 µs of a server's memory, 0.5 µs of waiting
  assert.equal(starvesFrom({ ...work, waits: 8 })?.kind, "server"); // 4 µs; 10 µs at 960 GB/s
  assert.equal(starvesFrom({ ...work, waits: 8, macs: 33e12 * 5e-6 }), undefined);
  assert.equal(starvesFrom({ ...work, workgroups: 48 })?.kind, "high-end");
  assert.equal(starvesFrom({ ...work, bytes: 9216, workgroups: 1 })?.kind, "integrated");
});

Deno.test("GPUs that come later have more of everything, so that what starves on one starves on the next", () => {
  for (const key of ["bytesPerSecond", "macsPerSecond", "units"] as const) {
    const values = GPU_KINDS.map((kind) => kind[key]);
    assert.deepEqual(values, values.toSorted((a, b) => a - b), key);
  }
});
