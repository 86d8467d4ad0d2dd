/** In what K and V are kept: the choice between textures and buffers, their bytes, and copies of slots. */
import assert from "node:assert/strict";
import { download } from "../src/check/scratch.ts";
import { everyKvDtype } from "../src/formats/kv_dtype.ts";
import type { Gpu } from "../src/gpu/gpu.ts";
import { writeVectors } from "../src/gpu/writer.ts";
import { CONTIGUOUS } from "../src/kv/contiguous/addressing.ts";
import type { KvLayer } from "../src/kv/layer.ts";
import { KvLayout } from "../src/kv/layout.ts";
import { kvRowBytes, type KvShape } from "../src/kv/shape.ts";
import { gpuTest } from "./gpu_support.ts";

const SHAPE: KvShape = {
  ...{ nHead: 3, a4: 48, dtype: "f32", nSequences: 1, texels: true },
};

function layoutOf(gpu: Gpu, shape: Partial<KvShape>, most = 40): KvLayout {
  return new KvLayout(gpu, { ...SHAPE, ...shape }, { files: [CONTIGUOUS], table: "uniform", most, group: 1 });
}

function isTexture({ kv }: KvLayer): boolean {
  return "texture" in kv;
}

gpuTest("K and V take the same bytes in textures and in buffers", (gpu) => {
  for (const dtype of everyKvDtype()) {
    for (const texels of [true, false]) {
      const layer = layoutOf(gpu, { dtype, texels }).createLayer("a", 40);
      assert.equal(isTexture(layer), texels);
      assert.equal(layer.bytes, 40 * kvRowBytes({ ...SHAPE, dtype }), dtype);
      assert.equal(gpu.ledger.current.kv, layer.bytes);
      layer.destroy();
      assert.equal(gpu.ledger.current.total, 0);
    }
  }
});

gpuTest("K and V are in buffers where textures can't hold them", (gpu) => {
  const most = gpu.device.limits.maxTextureDimension2D;
  const cases: [string, Partial<KvShape>, number, boolean][] = [
    ["as many slots as a texture has rows", {}, most, true],
    ["more slots than that", {}, most + 1, false],
    ["heads of 5 vectors in float32", { a4: 15 }, 40, true],
    ["heads of 5 vectors in float16", { a4: 15, dtype: "f16" }, 40, false],
    ["heads of 6 vectors in int8", { a4: 18, dtype: "int8" }, 40, false],
  ];
  for (const [what, shape, slots, expected] of cases) {
    const layer = layoutOf(gpu, shape, slots).createLayer("a", 40);
    assert.equal(isTexture(layer), expected, what);
    layer.destroy();
  }
});

gpuTest("copySlots() moves values and scales, and nothing else", async (gpu) => {
  for (const dtype of everyKvDtype()) {
    for (const texels of [true, false]) {
      const layout = layoutOf(gpu, { dtype, texels });
      const from = layout.createLayer("from", 10), to = layout.createLayer("to", 20);
      const filled = (bytes: number) => Uint8Array.from({ length: bytes }, (_, i) => (i * 31 + 7) % 251);
      writeVectors(gpu.device.queue, from.kv, 0, filled(from.kv.bytes));
      if (from.scales) writeVectors(gpu.device.queue, from.scales, 0, filled(from.scales.bytes));
      const encoder = gpu.device.createCommandEncoder();
      layout.copySlots(encoder, { layer: from, first: 2 }, { layer: to, first: 11 }, 5);
      gpu.device.queue.submit([encoder.finish()]);
      for (
        const [slotBytes, source, target] of [
          [layout.valueBytes, from.kv, to.kv],
          [layout.scaleBytes, from.scales, to.scales],
        ] as const
      ) {
        if (!source || !target) continue;
        const expected = new Uint8Array(target.bytes);
        expected.set(filled(source.bytes).subarray(2 * slotBytes, 7 * slotBytes), 11 * slotBytes);
        const { buffer } = await download(gpu, target);
        assert.deepEqual(new Uint8Array(buffer), expected, dtype);
      }
      from.destroy();
      to.destroy();
    }
  }
});
