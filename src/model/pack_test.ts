import assert from "node:assert/strict";
import { runs } from "../../tests/fuzz.ts";
import { seededRandom } from "../base/random.ts";
import { WEIGHT_DTYPES } from "../formats/registry.ts";
import type { MatrixSource } from "../formats/tiles.ts";
import {
  packedBytes,
  packTiles as pack,
  paddedEnd,
  paddedHeads,
  pick,
  tileVectors,
  vectorTogether,
} from "./pack.ts";

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
    assert.ok(tiles instanceof Float16Array);
    assert.deepEqual([...tiles], [...packTiles(source, group)].map((value) => Math.f16round(value)));
  });

  Deno.test(`packTiles() quantises each output channel to ±127 of its own scale (groups of ${group})`, () => {
    const [nK, nN] = [13, 21];
    const values = Float32Array.from({ length: nK * nN }, (_, i) => Math.sin(i) * 10 ** (i % nN / 5));
    for (let k = 0; k < nK; k++) values[k * nN + 20] = 0; // a channel of zeros
    const source = { ...matrix(nK, nN), values };
    const { tiles, scale } = pack(source, { tileGroup: group, dtype: "int8" });
    assert.ok(tiles instanceof Int8Array && scale instanceof Float32Array);
    for (let n = 0; n < nN; n++) {
      const channel = Array.from({ length: nK }, (_, k) => values[k * nN + n]!);
      const largest = Math.max(...channel.map(Math.abs));
      assert.equal(scale[n], Math.fround(largest / 127));
      channel.forEach((value, k) => {
        const tile = Math.floor((n >> 2) / group) * group * 4 + (k >> 2) * group + (n >> 2) % group;
        const q: number = tiles[tile * 16 + (n & 3) * 4 + (k & 3)]!;
        assert.ok(Math.abs(q * scale[n]! - value) <= scale[n]! * 0.5001, `(${k}, ${n}): ${q}`);
      });
    }
    assert.equal(scale[20], 0);
  });
}

for (const tileGroup of [1, 4, 8]) {
  Deno.test(`packTiles() stores int4 in blocks of 64 inputs, behind a float16 scale for each 32 (groups of ${tileGroup})`, () => {
    const [nK, nN] = [77, 21], blocks = 2;
    const values = Float32Array.from({ length: nK * nN }, (_, i) => Math.sin(i) * 10 ** (i % nN / 7 - 1));
    for (let k = 32; k < 64; k++) values[k * nN + 20] = 0; // 32 zeros
    const { tiles, scale } = pack({ ...matrix(nK, nN), values }, { tileGroup, dtype: "int4" });
    assert.ok(tiles instanceof Uint8Array && scale === undefined);
    const blockBytes = 16 * 9 * tileGroup;
    assert.equal(tiles.length, Math.ceil(6 / tileGroup) * blocks * blockBytes);
    assert.equal(packedBytes(20, 6, { tileGroup, dtype: "int4" }), tiles.length);
    const halves = new Float16Array(tiles.buffer);
    let found = 0;
    for (let n = 0; n < nN; n++) {
      for (let first = 0; first < nK; first += 32) {
        const group = Array.from(
          { length: Math.min(32, nK - first) },
          (_, i) => values[(first + i) * nN + n]!,
        );
        const largest = group.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        const [column, lane] = [Math.floor((n >> 2) / tileGroup), (n >> 2) % tileGroup];
        const block = (column * blocks + Math.floor(first / 64)) * blockBytes;
        const own: number = halves[block / 2 + (first % 64 / 32 * tileGroup + lane) * 4 + (n & 3)]!;
        assert.equal(own, Math.f16round(largest / 7));
        group.forEach((value, i) => {
          const k = (first + i) % 64, tile = block + 16 * tileGroup + ((k >> 2) * tileGroup + lane) * 8;
          const q = tiles[tile + (k & 3) * 2 + ((n & 3) >> 1)]! << 28 - 4 * (n & 1) >> 28;
          const clipped = Math.max(0, Math.abs(value) - 7 * own); // where the scale was rounded down
          assert.ok(Math.abs(q * own - value) <= own * 0.5001 + clipped, `(${k}, ${n}): ${q}`);
          assert.ok(Math.abs(q) <= 7, String(q));
          if (q !== 0) found++;
        });
      }
    }
    const stored = tiles.filter((_, at) => at % blockBytes >= 16 * tileGroup)
      .reduce((sum, byte) => sum + Number((byte & 15) > 0) + Number(byte > 15), 0);
    assert.equal(stored, found, "padding is zero");
  });
}

/**
 * int8 from its definition, in float64: a channel's scale is its largest magnitude over 127, and an element is stored as
 * the nearest whole number of scales. `w · 127` of a float32 is exact there, so that only the quotient is rounded.
 */
function int8Cpu(channel: readonly number[]): { readonly scale: number; readonly steps: number[] } {
  const largest = channel.reduce((most, w) => Math.max(most, Math.abs(w)), 0);
  return { scale: largest / 127, steps: channel.map((w) => largest === 0 ? 0 : w * 127 / largest) };
}

/** Half a unit in the last place of float32, relative. */
const HALF_ULP = 2 ** -24;
/** How far the quotient of a value and a scale, both float32, may be from the exact one: 127 steps, each off by that. */
const STEP_ERROR = 128 * HALF_ULP;

/** Checks packed channels of `nK` elements against the definition. */
function assertInt8(channels: readonly (readonly number[])[], group: number): void {
  const nK = channels[0]!.length, nN = channels.length, k4 = Math.ceil(nK / 4);
  const values = Float32Array.from({ length: nK * nN }, (_, i) => channels[i % nN]![Math.floor(i / nN)]!);
  const { tiles, scale } = pack({ ...matrix(nK, nN), values }, { tileGroup: group, dtype: "int8" });
  assert.ok(tiles instanceof Int8Array && scale instanceof Float32Array);
  for (let n = 0; n < nN; n++) {
    const channel = Array.from({ length: nK }, (_, k) => values[k * nN + n]!);
    const expected = int8Cpu(channel);
    const isZero = expected.scale < 2 ** -126;
    const s: number = scale[n]!;
    if (isZero) assert.equal(s, 0);
    else assert.ok(Math.abs(s / expected.scale - 1) <= HALF_ULP, `scale ${s} of ${expected.scale}`);
    let largest = 0;
    for (let k = 0; k < nK; k++) {
      const tile = Math.floor((n >> 2) / group) * group * k4 + (k >> 2) * group + (n >> 2) % group;
      const q: number = tiles[tile * 16 + (n & 3) * 4 + (k & 3)]!;
      const what = `${channel[k]} in a channel of ${expected.scale} a step: ${q} for ${expected.steps[k]}`;
      assert.ok(Math.abs(q) <= 127, what);
      largest = Math.max(largest, Math.abs(q));
      if (isZero) {
        assert.equal(q, 0, what);
        continue;
      }
      // The nearest whole number, or its neighbour where the exact quotient is half-way but for rounding.
      assert.ok(Math.abs(q - expected.steps[k]!) <= 0.5 + STEP_ERROR, what);
      // What is read back: half a step off, but for the rounding of scale and quotient.
      assert.ok(Math.abs(q * s - channel[k]!) <= expected.scale * (0.5 + 2 * STEP_ERROR), what);
    }
    assert.equal(largest, isZero ? 0 : 127);
  }
}

Deno.test("packTiles() in int8 is the definition's, to half a step and rounding, at every scale of float32", () => {
  const LEAST = 2 ** -149, MOST = (2 - 2 ** -23) * 2 ** 127;
  const random = seededRandom(14);
  for (let round = 0; round < runs(200); round++) {
    const nK = 1 + Math.floor(random() * 40), nN = 1 + Math.floor(random() * 20);
    const channels = Array.from({ length: nN }, () => {
      const magnitude = Math.min(MOST, Math.max(LEAST, 2 ** (random() * 277 - 149)));
      return Array.from({ length: nK }, () => Math.fround((2 * random() - 1) * magnitude));
    });
    assertInt8(channels, [1, 4, 8][round % 3]!);
  }
});

Deno.test("packTiles() in int8 holds at ties, at the ends of float32 and in channels that are nearly zero", () => {
  const MOST = (2 - 2 ** -23) * 2 ** 127, LEAST = 2 ** -149;
  // Every multiple of half a step, both ways.
  assertInt8([Array.from({ length: 509 }, (_, i) => (i - 254) / 2)], 1);
  assertInt8([Array.from({ length: 509 }, (_, i) => Math.fround((i - 254) / 2 * 0.1))], 4);
  assertInt8([[MOST, -MOST, MOST / 254, 0], [LEAST, 0, -LEAST, 0], [0, 0, 0, 0], [-3, 1, 2, 3]], 1);
  // Scales around the least normal float32: 190 steps of the least subnormal would overflow int8.
  for (const steps of [1, 63, 64, 127, 190, 191, 254, 2 ** 23, 127 * 2 ** 23 - 1, 127 * 2 ** 23, 2 ** 31]) {
    assertInt8([[steps * LEAST, -steps * LEAST / 2, LEAST, 0]], 1);
  }
});

Deno.test("packTiles() refuses what float16 can't hold", () => {
  const source = { ...matrix(1, 1), values: Float32Array.of(65520) };
  assert.throws(() => pack(source, { tileGroup: 1, dtype: "f16" }), {
    name: "KvbenchError",
    message: "An element is 65520: float16 holds at most 65504, expected --weights-dtype f32",
  });
});

Deno.test("packTiles() puts the vectors of eight tiles together, in as many bytes as packedBytes() says", () => {
  for (const dtype of WEIGHT_DTYPES) {
    const vectors = tileVectors(dtype);
    for (const [nK, nN] of [[1, 1], [7, 5], [20, 61], [64, 32]] as const) {
      const source = matrix(nK, nN), packing = { tileGroup: 4, dtype };
      const shape = [source.k.length / 4, source.n.length / 4] as const;
      const bytes = ({ tiles }: ReturnType<typeof pack>) =>
        new Uint8Array(tiles.buffer, tiles.byteOffset, tiles.byteLength);
      const apart = bytes(pack(source, packing));
      const together = bytes(pack(source, { ...packing, byVector: true }));
      assert.equal(apart.length, packedBytes(...shape, packing));
      assert.ok(together.length <= packedBytes(...shape, { ...packing, byVector: true }));
      for (let i = 0; i < apart.length / 16; i++) {
        const at = vectorTogether(Math.floor(i / vectors), i % vectors, vectors);
        assert.deepEqual(
          together.subarray(16 * at, 16 * at + 16),
          apart.subarray(16 * i, 16 * i + 16),
          `${dtype}, vector ${i}`,
        );
      }
    }
  }
  // The first vectors of the first eight tiles, then the second ones.
  assert.deepEqual([0, 1, 7, 8].map((tile) => vectorTogether(tile, 1, 4)), [8, 9, 15, 40]);
});
