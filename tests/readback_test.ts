/** Readbacks: at once where the runtime can, behind the promise elsewhere, and never anything but what was written. */
import assert from "node:assert/strict";
import { Readback } from "../src/gpu/readback.ts";
import { StagingBuffer } from "../src/gpu/staging.ts";
import { gpuTest } from "./gpu_support.ts";

/** Readbacks in a row. */
const ROUNDS = 200;

gpuTest("The Deno that runs the tests is known to read at once", ({ mapsAtOnce }) => {
  assert.equal(mapsAtOnce, true);
});

for (const mapsAtOnce of [true, false]) {
  const how = mapsAtOnce ? "at once" : "behind its promise";
  gpuTest(`A readback ${how} reads what was written last`, async (gpu) => {
    const known = gpu.mapsAtOnce;
    Object.assign(gpu, { mapsAtOnce });
    const source = gpu.ledger.createBuffer({ label: "source", category: "staging", bytes: 8 });
    const readback = new Readback(gpu, 16), before = gpu.ledger.current.total;
    for (let i = 0; i < (mapsAtOnce ? ROUNDS : 3); i++) {
      gpu.device.queue.writeBuffer(source.buffer, 0, Uint32Array.of(i, ~i));
      const read = await readback.read([
        { source: source.buffer, offset: 4, bytes: 4 },
        { source: source.buffer, offset: 0, bytes: 4 },
      ]);
      assert.deepEqual(new Uint32Array(read), Uint32Array.of(~i, i));
    }
    assert.equal(gpu.ledger.current.total - before, mapsAtOnce ? 16 : 0, "only one buffer is kept");
    readback.dispose();
    source.destroy();
    Object.assign(gpu, { mapsAtOnce: known });
  });
}

gpuTest("Readbacks that overlap, and large ones, have buffers of their own", async (gpu) => {
  const source = gpu.ledger.createBuffer({ label: "source", category: "staging", bytes: 64 });
  gpu.device.queue.writeBuffer(source.buffer, 0, Uint32Array.from({ length: 16 }, (_, i) => i));
  const readback = new Readback(gpu, 8);
  const reads = [8, 8, 64].map((bytes) => readback.read([{ source: source.buffer, offset: 0, bytes }]));
  for (const read of await Promise.all(reads)) {
    new Uint32Array(read).forEach((value, i) => assert.equal(value, i));
  }
  assert.deepEqual((await Promise.all(reads)).map(({ byteLength }) => byteLength), [8, 8, 64]);
  readback.dispose();
  source.destroy();
});

gpuTest("A buffer whose range can't be had yet is awaited", async (real) => {
  const staging = new StagingBuffer(real, "staging", 4), { buffer } = staging;
  await staging.read(4, () => {});
  const { getMappedRange } = buffer;
  let asked = 0;
  buffer.getMappedRange = (...args) => {
    if (asked++ === 0) throw new DOMException("Buffer is not mapped", "OperationError"); // as browsers say
    return getMappedRange.apply(buffer, args);
  };
  assert.equal(await staging.read(4, ({ byteLength }) => byteLength), 4);
  assert.equal(asked, 2);
  staging.destroy();
});
