import assert from "node:assert/strict";
import fc from "fast-check";
import { regionsOf, ROW_BYTES, texelRows, TEXELS_PER_ROW, unevenBytes } from "./texels.ts";
import { SHARED_FILES } from "./join.ts";

Deno.test("regionsOf() covers every byte once, in order, where texels.wgsl looks for it", () => {
  const vectors = fc.integer({ min: 0, max: 5 * TEXELS_PER_ROW });
  fc.assert(fc.property(vectors, vectors, (offset, count) => {
    let from = 0, next = offset;
    for (const region of regionsOf(16 * offset, 16 * count)) {
      const { x, y, width, height } = region;
      assert.equal(region.from, from);
      assert.deepEqual([x, y], [next % TEXELS_PER_ROW, Math.floor(next / TEXELS_PER_ROW)]);
      assert.ok(width >= 1 && height >= 1 && x + width <= TEXELS_PER_ROW);
      assert.ok(height === 1 || width === TEXELS_PER_ROW, "a row that is not whole is alone");
      next += width * height;
      from += 16 * width * height;
    }
    assert.equal(next, offset + count);
  }));
});

Deno.test("regionsOf() cuts in three at most", () => {
  assert.equal(regionsOf(16, 4 * ROW_BYTES).length, 3);
  assert.equal(regionsOf(0, 4 * ROW_BYTES).length, 1);
});

Deno.test("texelRows() counts whole rows, and one for nothing", () => {
  assert.deepEqual([0, 1, ROW_BYTES, ROW_BYTES + 1].map((bytes) => texelRows(bytes)), [1, 1, 1, 2]);
  assert.deepEqual([0, 48, 49].map((bytes) => texelRows(bytes, 48)), [1, 1, 2]);
});

Deno.test("texels.wgsl has rows as long as they are here", () => {
  const texels = SHARED_FILES.find(({ name }) => name === "texels.wgsl");
  assert.ok(texels?.code.includes(`TEXELS_PER_ROW = ${TEXELS_PER_ROW}u`));
});

Deno.test("unevenBytes() gives whole rows, enough of them and never a power of two", () => {
  const rows = (bytes: number) => unevenBytes(bytes) / ROW_BYTES;
  assert.deepEqual([0, 1, 2, 3, 4, 5, 8, 1024].map((n) => rows(n * ROW_BYTES)), [3, 3, 3, 3, 5, 5, 9, 1025]);
  assert.equal(rows(3 * ROW_BYTES + 16), 5);
});
