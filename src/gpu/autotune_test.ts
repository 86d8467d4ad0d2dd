import assert from "node:assert/strict";
import { fastest } from "./autotune.ts";

Deno.test("fastest() keeps the first unless another is shorter by more than the margin", () => {
  assert.equal(fastest([10, 9.6, 9.7], 0.05), 0);
  assert.equal(fastest([10, 9.4, 9.2, 9.3], 0.05), 2);
  assert.equal(fastest([10, 9.6, 5], 0.05), 2);
});
