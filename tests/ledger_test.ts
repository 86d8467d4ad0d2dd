/**
 * The ledger counts what the device allocates: now, at most, by label, and what was forgotten.
 *
 * @module
 */
import assert from "node:assert/strict";
import { KvbenchError } from "../src/errors.ts";
import { type BufferSpec, CATEGORIES, Ledger } from "../src/gpu/ledger.ts";
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
