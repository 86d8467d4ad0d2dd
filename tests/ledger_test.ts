/** The ledger counts what the device allocates: now, at most, by label, and what was forgotten. */
import assert from "node:assert/strict";
import { KvbenchError } from "../src/base/errors.ts";
import { type BufferSpec, CATEGORIES, Ledger } from "../src/gpu/ledger.ts";
import { readTexels } from "../src/gpu/readback.ts";
import { ROW_BYTES } from "../src/gpu/texels.ts";
import { Writer } from "../src/gpu/writer.ts";
import { gpuTest } from "./gpu_support.ts";

function spec(label: string, bytes: number, category: BufferSpec["category"] = "kv"): BufferSpec {
  return { label, bytes, category };
}

gpuTest("Ledger counts bytes by category, rounded up to 16", ({ device }) => {
  const ledger = new Ledger(device);
  const buffers = [
    ledger.createBuffer(spec("a", 1)),
    ledger.createBuffer(spec("b", 16, "weights")),
    ledger.createBuffer(spec("c", 17, "tables")),
    ledger.createBuffer(spec("d", 0, "staging")),
  ];
  assert.deepEqual(ledger.current, {
    total: 16 + 16 + 32 + 16,
    weights: 16,
    kv: 16,
    activations: 0,
    tables: 32,
    staging: 16,
  });
  assert.deepEqual(buffers.map(({ buffer, bytes }) => buffer.size === bytes), [true, true, true, true]);
  for (const buffer of buffers) buffer.destroy();
  assert.deepEqual(Object.values(ledger.current), Array(1 + CATEGORIES.length).fill(0));
});

gpuTest("Ledger counts texels by whole rows, and says how many there may be", ({ device }) => {
  const ledger = new Ledger(device);
  const texels = [ledger.createTexels(spec("a", 1)), ledger.createTexels(spec("b", ROW_BYTES + 16))];
  assert.deepEqual(texels.map(({ bytes }) => bytes), [ROW_BYTES, 2 * ROW_BYTES]);
  assert.deepEqual(texels.map(({ texture }) => [texture.width * 16, texture.height]), [[ROW_BYTES, 1], [
    ROW_BYTES,
    2,
  ]]);
  assert.equal(ledger.current.kv, 3 * ROW_BYTES);
  const rows = device.limits.maxTextureDimension2D;
  assert.throws(() => ledger.createTexels(spec("c", rows * ROW_BYTES + 1)), {
    name: "KvbenchError",
    message:
      `Cannot create texture "c" of ${rows * ROW_BYTES + 1} bytes in rows of 32768: this device allows ` +
      `at most ${rows} rows of ${rows * 16}`,
  });
  for (const each of texels) each.destroy();
  ledger.assertEmpty();
});

gpuTest(
  "Texels in rows of any length take no more bytes than asked for, and keep what is written",
  async (gpu) => {
    for (const rowBytes of [16, 48, 256, 6144]) {
      const texels = gpu.ledger.createTexels({ ...spec("a", 3 * rowBytes), rowBytes });
      assert.equal(texels.bytes, 3 * rowBytes);
      const values = Uint32Array.from({ length: 3 * rowBytes / 4 }, (_, i) => i * 7 + 1);
      await new Writer(gpu).write(texels, 0, values);
      assert.deepEqual(new Uint32Array(await readTexels(gpu, texels)), values);
      texels.destroy();
    }
  },
);

gpuTest("What is written to texels from any vector on is read back from there", async (gpu) => {
  const texels = gpu.ledger.createTexels(spec("a", 5 * ROW_BYTES));
  const expected = new Uint32Array(5 * ROW_BYTES / 4);
  const writer = new Writer(gpu);
  for (
    const [first, count] of [[0, 20480], [8188, 4], [8188, 8], [3, 8189], [8192, 16384], [20476, 4]] as const
  ) {
    const values = Uint32Array.from({ length: Math.floor(count / 4) * 4 }, (_, i) => i * 7 + first);
    const at = Math.floor(first / 4) * 4;
    expected.set(values, at);
    await writer.write(texels, 4 * at, values);
  }
  assert.deepEqual(new Uint32Array(await readTexels(gpu, texels)), expected);
  texels.destroy();
});

gpuTest("Ledger keeps the peak of each category until resetPeak()", ({ device }) => {
  const ledger = new Ledger(device);
  const kv = ledger.createBuffer(spec("kv", 160));
  kv.destroy();
  const weights = ledger.createBuffer(spec("weights", 64, "weights"));
  assert.equal(ledger.peak.kv, 160);
  assert.equal(ledger.peak.weights, 64);
  assert.equal(ledger.peak.total, 160, "the two were never alive together");
  ledger.resetPeak();
  assert.deepEqual(ledger.peak, ledger.current);
  assert.equal(ledger.peak.kv, 0);
  weights.destroy();
  assert.equal(ledger.peak.total, 64);
});

gpuTest("Ledger gives snapshots that later buffers don't change", ({ device }) => {
  const ledger = new Ledger(device);
  const { current, peak } = ledger;
  ledger.createBuffer(spec("kv", 16)).destroy();
  assert.deepEqual([current.total, peak.total], [0, 0]);
});

gpuTest("LedgerBuffer.destroy() gives the bytes back once", ({ device }) => {
  const ledger = new Ledger(device);
  const [first, second] = [ledger.createBuffer(spec("kv", 32)), ledger.createBuffer(spec("kv", 32))];
  first.destroy();
  first.destroy();
  assert.equal(ledger.current.kv, 32);
  second.destroy();
});

gpuTest("Ledger.byLabel() adds up buffers of one label, largest first", ({ device }) => {
  const ledger = new Ledger(device);
  const buffers = [
    ledger.createBuffer(spec("small", 48)),
    ...[1, 2].map(() => ledger.createBuffer(spec("large", 32, "weights"))),
  ];
  assert.deepEqual(ledger.byLabel(), [
    { label: "large", category: "weights", buffers: 2, bytes: 64 },
    { label: "small", category: "kv", buffers: 1, bytes: 48 },
  ]);
  assert.match(ledger.summary(), /^total +112 +112$/m);
  assert.match(ledger.summary(), /^ {2}large \(2 buffers\): 64$/m);
  for (const buffer of buffers) buffer.destroy();
});

gpuTest("Ledger.allOrNone() keeps what it made, and destroys it if something fails", ({ device }) => {
  const ledger = new Ledger(device);
  const before = ledger.createBuffer(spec("before", 16));
  const kept = ledger.allOrNone(() => ledger.createBuffer(spec("kept", 32)));
  assert.equal(ledger.current.total, 48);
  const failing = () =>
    ledger.allOrNone(() => {
      ledger.createBuffer(spec("lost", 64));
      ledger.createBuffer(spec("too large", 2 ** 52));
    });
  assert.throws(failing, KvbenchError);
  assert.equal(ledger.current.total, 48);
  before.destroy();
  kept.destroy();
  ledger.assertEmpty();
});

gpuTest("Ledger.assertEmpty() names what was leaked", ({ device }) => {
  const ledger = new Ledger(device);
  ledger.assertEmpty();
  const buffers = [1, 2].map(() => ledger.createBuffer(spec("block table", 16, "tables")));
  assert.throws(() => ledger.assertEmpty(), {
    name: "KvbenchError",
    message: "GPU buffers were leaked: 2 × block table (32 bytes)",
  });
  for (const buffer of buffers) buffer.destroy();
  ledger.assertEmpty();
});

gpuTest(
  "Ledger.createBuffer() refuses what the device can't hold, before it asks the device",
  ({ device }) => {
    const ledger = new Ledger(device);
    const { maxBufferSize } = device.limits;
    for (const bytes of [maxBufferSize + 1, 2 ** 60, Infinity, NaN]) {
      assert.throws(() => ledger.createBuffer(spec("kv pool", bytes)), (error: unknown) => {
        assert(error instanceof KvbenchError);
        assert.match(
          error.message,
          /^Cannot create buffer "kv pool" of .* bytes: this device allows at most \d+$/,
        );
        return true;
      });
    }
    assert.equal(ledger.peak.total, 0);
  },
);
