import assert from "node:assert/strict";
import { roofShare } from "./profile_table.ts";

Deno.test("roofShare() is of the roof that a kernel's intensity puts it under", () => {
  const peaks = { gb_per_s: 10, gmacs_per_s: 40 };
  const kernel = { kernel: "linear", dispatches: 1, ms: 1 };
  // 5 MB in 1 ms are half of 10 GB/s; 4 operations a byte would be the ridge
  assert.equal(roofShare({ ...kernel, bytes: 5e6, operations: 1e6 }, peaks), 0.5);
  assert.equal(roofShare({ ...kernel, bytes: 1e6, operations: 20e6 }, peaks), 0.5);
  assert.equal(roofShare({ ...kernel, bytes: 2.5e6, operations: 0 }, peaks), 0.25);
});
