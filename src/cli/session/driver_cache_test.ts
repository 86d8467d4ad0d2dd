import assert from "node:assert/strict";
import { sayDriverCache } from "./driver_cache.ts";

Deno.test("sayDriverCache() calls a start cold where the cache was empty or grew, warm where it stayed, and nothing where it stays empty", () => {
  const none = { files: 0, bytes: 0 }, some = { files: 3, bytes: 900 };
  assert.equal(sayDriverCache(none, some).temperature, "cold");
  assert.equal(sayDriverCache(none, none).temperature, "unknown");
  assert.equal(sayDriverCache(some, { files: 4, bytes: 1000 }).temperature, "cold");
  assert.equal(sayDriverCache(some, { files: 3, bytes: 1000 }).temperature, "cold");
  assert.equal(sayDriverCache(some, some).temperature, "warm");
  assert.equal(sayDriverCache(undefined, some).temperature, "unknown");
});
