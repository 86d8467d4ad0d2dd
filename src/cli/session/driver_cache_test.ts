import assert from "node:assert/strict";
import { foundInCache } from "./driver_cache.ts";

Deno.test("foundInCache() tells an empty cache, one that grew and one that stayed, and nothing of one that stays empty", () => {
  const none = { files: 0, bytes: 0 }, some = { files: 3, bytes: 900 };
  assert.equal(foundInCache(none, some), "empty");
  assert.equal(foundInCache(none, none), "unknown");
  assert.equal(foundInCache(some, { files: 4, bytes: 1000 }), "partial");
  assert.equal(foundInCache(some, { files: 3, bytes: 1000 }), "partial");
  assert.equal(foundInCache(some, some), "full");
  assert.equal(foundInCache(undefined, some), "unknown");
});
