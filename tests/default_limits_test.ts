/** Models on a device with nothing but what every WebGPU has: default limits, and no optional feature. */
import assert from "node:assert/strict";
import { openGpu } from "../src/host/gpu.ts";
import { DEFAULT_LIMITS, FEATURES, LIMITS, LOWEST_LIMITS } from "../src/gpu/limits.ts";
import { Timestamps } from "../src/gpu/timestamps.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { HARDWARE_TUNING, SOFTWARE_TUNING } from "../src/model/tuning.ts";
import { paged, STATIC, withDecoder } from "./decode_support.ts";
import { AWKWARD, randomCheckpoint } from "./fixtures/checkpoint.ts";
import { gpt2Cpu } from "./fixtures/gpt2_cpu.ts";
import { assertClose } from "./gpu_support.ts";

Deno.test("Gpt2 runs in every storage type at WebGPU's default limits without optional features", async () => {
  const gpu = await openGpu(LOWEST_LIMITS);
  for (const name of FEATURES) assert.equal(gpu.device.features.has(name), false, name);
  for (const name of LIMITS) assert.equal(gpu.device.limits[name], DEFAULT_LIMITS[name], name);
  assert.equal(Timestamps.create(gpu, 1), undefined);
  const { checkpoint, config, tensors } = await randomCheckpoint(AWKWARD);
  const ids = Array.from({ length: config.nCtx }, (_, i) => i * 7 % config.vocabSize);
  const expected = gpt2Cpu(config, tensors, ids);
  // The most bindings are those of scales and of a table of blocks.
  const cases = [
    [SOFTWARE_TUNING, [["f32", 5e-5, STATIC], ["f16", 0.02, STATIC], ["int8", 0.8, paged(7)]]],
    [HARDWARE_TUNING, [["f16", 0.02, paged(7)], ["int8", 0.8, paged(7)]]],
  ] as const;
  for (const [tuning, types] of cases) {
    for (const [dtype, tolerance, variant] of types) {
      const model = await Gpt2.load(gpu, checkpoint, { tuning, weightsDtype: dtype });
      const need = { variant, kvDtype: dtype, maxOutputs: config.nCtx };
      await withDecoder(model, need, async (decoder) => {
        decoder.begin([ids]);
        const logits = await decoder.logits(config.nCtx);
        const name = `${variant.name}, ${dtype}, ${tuning.name} tuning`;
        assertClose(logits.flatMap((row) => [...row]), expected, {
          tolerance,
          name,
          width: config.vocabSize,
        });
        decoder.begin([ids.slice(0, 9)]);
        decoder.advance(4);
        assert.equal((await decoder.ids(9))[0]!.length, 4);
      });
      model.dispose();
    }
  }
  checkpoint.close();
  gpu.dispose();
});
