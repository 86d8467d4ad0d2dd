import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { isDeepEqual } from "./equal.ts";

Deno.test("isDeepEqual() takes two values for equal that isDeepStrictEqual() does", () => {
  const value = fc.jsonValue({ maxDepth: 3 });
  fc.assert(fc.property(value, value, (a, b) => {
    assert.equal(isDeepEqual(a, structuredClone(a)), isDeepStrictEqual(a, structuredClone(a)));
    assert.equal(isDeepEqual(a, b), isDeepStrictEqual(a, b));
    assert.equal(isDeepEqual([a, b], [b, a]), isDeepStrictEqual([a, b], [b, a]));
  }));
});

Deno.test("isDeepEqual() tells objects from arrays, missing fields from undefined ones, and zeros by their sign", () => {
  assert.ok(isDeepEqual({ a: [1, { b: NaN }], c: null }, { c: null, a: [1, { b: NaN }] }));
  for (
    const [a, b] of [[[], {}], [{ a: undefined }, {}], [{ a: undefined }, { b: undefined }], [0, -0], [
      null,
      {},
    ]]
  ) {
    assert.ok(!isDeepEqual(a, b));
  }
});
