import assert from "node:assert/strict";
import { batchOf, TILE_ROWS } from "./batch.ts";

/** A flat table as its rows of `width` numbers. */
function rowsOf(table: Uint32Array, width: number): number[][] {
  return Array.from(
    { length: table.length / width },
    (_, i) => [...table.subarray(i * width, (i + 1) * width)],
  );
}

Deno.test("batchOf() lays a prefill out as tiles of at most 8 rows that cover every row once", () => {
  for (const count of [2, 7, 8, 9, 16, 65]) {
    const batch = batchOf([{ sequence: 3, first: 5, count, outputs: 1 }]);
    assert.equal(batch.nRows, count);
    assert.deepEqual(
      rowsOf(batch.rows, 2),
      Array.from({ length: count }, (_, i) => [3, 5 + i]),
    );
    assert.equal(batch.nPrefillTiles, Math.ceil(count / TILE_ROWS));
    assert.equal(batch.nDecodeTiles, 0);
    assert.equal(batch.decodeContext, 0);
    let row = 0;
    for (const [firstRow, rows = 0, sequence, position] of rowsOf(batch.tiles, 4)) {
      assert.deepEqual([firstRow, sequence, position], [row, 3, 5 + row]);
      assert.ok(rows >= 1 && rows <= TILE_ROWS);
      row += rows;
    }
    assert.equal(row, count);
    assert.deepEqual(rowsOf(batch.outputs, 4), [[count - 1, 3, 5 + count - 1, 0]]);
  }
});

Deno.test("batchOf() lays one token out as a decode tile, and tells the longest context of those", () => {
  const batch = batchOf([
    { sequence: 0, first: 9, count: 1, outputs: 1 },
    { sequence: 1, first: 64, count: 1, outputs: 1 },
    { sequence: 2, first: 0, count: 1, outputs: 0 },
  ]);
  assert.deepEqual([batch.nPrefillTiles, batch.nDecodeTiles, batch.decodeContext], [0, 3, 65]);
  assert.deepEqual(rowsOf(batch.tiles, 4), [[0, 1, 0, 9], [1, 1, 1, 64], [2, 1, 2, 0]]);
  assert.deepEqual(rowsOf(batch.outputs, 4), [[0, 0, 9, 0], [1, 1, 64, 0]]);
});

Deno.test("batchOf() puts prefill tiles before decode tiles in a mixed batch, and keeps the order of rows", () => {
  const batch = batchOf([
    { sequence: 0, first: 4, count: 1, outputs: 1 },
    { sequence: 1, first: 0, count: 9, outputs: 2 },
  ]);
  assert.deepEqual([batch.nRows, batch.nPrefillTiles, batch.nDecodeTiles, batch.nOutputs], [10, 2, 1, 3]);
  assert.deepEqual(rowsOf(batch.rows, 2)[0], [0, 4]);
  assert.deepEqual(rowsOf(batch.tiles, 4), [[1, 8, 1, 0], [9, 1, 1, 8], [0, 1, 0, 4]]);
  assert.deepEqual(rowsOf(batch.outputs, 4), [[0, 0, 4, 0], [8, 1, 7, 0], [9, 1, 8, 0]]);
});

Deno.test("batchOf() gives logits for every row where as many are asked for", () => {
  const { nOutputs, outputs } = batchOf([{ sequence: 0, first: 0, count: 7, outputs: 7 }]);
  assert.equal(nOutputs, 7);
  assert.deepEqual(rowsOf(outputs, 4).map(([row]) => row), [0, 1, 2, 3, 4, 5, 6]);
});

Deno.test("batchOf() gives empty tables for no spans", () => {
  const batch = batchOf([]);
  assert.deepEqual([batch.nRows, batch.nOutputs, batch.tiles.length], [0, 0, 0]);
});

Deno.test("batchOf() lets other sequences have the last token's logits", () => {
  const { outputs, nOutputs } = batchOf([{ sequence: 4, first: 2, count: 3, outputs: 1, alsoFor: [5, 1] }]);
  assert.equal(nOutputs, 3);
  assert.deepEqual([...outputs], [2, 4, 4, 0, 2, 5, 4, 0, 2, 1, 4, 0]);
});
