import assert from "node:assert/strict";
import { type MatrixSource, packTiles as pack, paddedEnd, paddedHeads, pick } from "./pack.ts";

/** A matrix [nK, nN] whose element (k, n) is 1000 k + n + 1, padded at its ends. */
function matrix(nK: number, nN: number): MatrixSource {
  return {
    values: Float32Array.from({ length: nK * nN }, (_, i) => 1000 * Math.floor(i / nN) + i % nN + 1),
    strideK: nN,
    strideN: 1,
    k: paddedEnd(nK, Math.ceil(nK / 4)),
    n: paddedEnd(nN, Math.ceil(nN / 4)),
  };
}

function packTiles(source: MatrixSource, tileGroup: number): Float32Array {
  const { tiles } = pack(source, { tileGroup, dtype: "f32" });
  assert.ok(tiles instanceof Float32Array);
  return tiles;
}

/** Reads element (k, n) as the kernels do: the tile by its group, a column of 4 per k in it. */
function at(
  packed: Float32Array,
  { group, k4 }: { group: number; k4: number },
  k: number,
  n: number,
): number {
  const n4 = n >> 2;
  const tile = Math.floor(n4 / group) * group * k4 + (k >> 2) * group + n4 % group;
  return packed[tile * 16 + (k & 3) * 4 + (n & 3)]!;
}

for (const group of [1, 4, 8]) {
  Deno.test(`packTiles() puts every element where groups of ${group} have it, and zeros in the padding`, () => {
    for (const [nK, nN] of [[1, 1], [7, 5], [8, 4], [65, 9], [4, 70]] as const) {
      const source = matrix(nK, nN);
      const [k4, n4] = [source.k.length / 4, source.n.length / 4];
      const packed = packTiles(source, group);
      const wholeN4 = Math.ceil(n4 / group) * group;
      assert.equal(packed.length, k4 * wholeN4 * 16);
      for (let k = 0; k < k4 * 4; k++) {
        for (let n = 0; n < wholeN4 * 4; n++) {
          const expected = k < nK && n < nN ? 1000 * k + n + 1 : 0;
          assert.equal(at(packed, { group, k4 }, k, n), expected, `(${k}, ${n})`);
        }
      }
    }
  });
}

Deno.test("packTiles() packs a transposed matrix by its strides", () => {
  const source = matrix(3, 6);
  const transposed = { ...source, strideK: 1, strideN: 6, k: paddedEnd(6, 2), n: paddedEnd(3, 1) };
  const packed = packTiles(transposed, 1);
  assert.equal(at(packed, { group: 1, k4: 2 }, 4, 2), 2000 + 4 + 1);
});

Deno.test("paddedHeads() pads each head and not the row", () => {
  assert.deepEqual([...paddedHeads(2, 2, 3, 1)], [0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1]);
  assert.deepEqual([...paddedHeads(1, 2, 4, 1)], [0, 1, 2, 3, 4, 5, 6, 7]);
});

Deno.test("pick() takes mapped values from an offset on, with zeros for padding", () => {
  const values = Float32Array.of(10, 11, 12, 13, 14, 15);
  assert.deepEqual([...pick(values, paddedEnd(3, 1))], [10, 11, 12, 0]);
  assert.deepEqual([...pick(values, paddedEnd(3, 1), 3)], [13, 14, 15, 0]);
});

for (const group of [1, 4, 8]) {
  Deno.test(`packTiles() rounds to float16 in the order of float32 (groups of ${group})`, () => {
    const source = {
      ...matrix(7, 21),
      values: Float32Array.from({ length: 7 * 21 }, (_, i) => Math.sin(i) * 3),
    };
    const { tiles } = pack(source, { tileGroup: group, dtype: "f16" });
    assert.deepEqual([...tiles], [...packTiles(source, group)].map((value) => Math.f16round(value)));
  });

  Deno.test(`packTiles() quantises each output channel to ±127 of its own scale (groups of ${group})`, () => {
    const [nK, nN] = [13, 21];
    const values = Float32Array.from({ length: nK * nN }, (_, i) => Math.sin(i) * 10 ** (i % nN / 5));
    for (let k = 0; k < nK; k++) values[k * nN + 20] = 0; // a channel of zeros
    const source = { ...matrix(nK, nN), values };
    const { tiles, scale } = pack(source, { tileGroup: group, dtype: "int8" });
    for (let n = 0; n < nN; n++) {
      const channel = Array.from({ length: nK }, (_, k) => values[k * nN + n]!);
      const largest = Math.max(...channel.map(Math.abs));
      assert.equal(scale![n], Math.fround(largest / 127));
      channel.forEach((value, k) => {
        const tile = Math.floor((n >> 2) / group) * group * 4 + (k >> 2) * group + (n >> 2) % group;
        const q = tiles[tile * 16 + (n & 3) * 4 + (k & 3)]!;
        assert.ok(Math.abs(q * scale![n]! - value) <= scale![n]! * 0.5001, `(${k}, ${n}): ${q}`);
      });
    }
    assert.equal(scale![20], 0);
  });
}

Deno.test("packTiles() refuses what float16 can't hold", () => {
  const source = { ...matrix(1, 1), values: Float32Array.of(65520) };
  assert.throws(() => pack(source, { tileGroup: 1, dtype: "f16" }), {
    name: "KvbenchError",
    message: "An element is 65520: float16 holds at most 65504, wanted --weights-dtype f32",
  });
});
