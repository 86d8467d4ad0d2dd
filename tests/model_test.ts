/**
 * A whole model whose every width needs padding, against a float64 pass on the CPU: both tunings, every strategy,
 * with the token embedding whole and in shards.
 *
 * @module
 */
import assert from "node:assert/strict";
import { seededRandom } from "../src/measure/random.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { HARDWARE_TUNING, SOFTWARE_TUNING } from "../src/model/tuning.ts";
import { DYNAMIC, NO_CACHE, paged, STATIC, withDecoder } from "./decode_support.ts";
import { AWKWARD, randomCheckpoint } from "./fixtures/checkpoint.ts";
import { gpt2Cpu } from "./fixtures/gpt2_cpu.ts";
import { assertClose, gpuTest } from "./gpu_support.ts";

/** Logits of up to 9, of which float32 over three layers was measured to lose 6e-6 at most. */
const TOLERANCE = 5e-5;
/**
 * The largest tensor that can't be split, `c_attn.weight`: 20 × 72 elements, which the hardware tuning packs as
 * 20 × 96.
 */
const SMALL_BINDING_BYTES = 20 * 96 * 4;

for (const tuning of [SOFTWARE_TUNING, HARDWARE_TUNING]) {
  for (const maxBindingBytes of [undefined, SMALL_BINDING_BYTES]) {
    const title = `${tuning.name} tuning, token embedding ${maxBindingBytes ? "in shards" : "whole"}`;
    gpuTest(`Gpt2 equals the CPU's pass at awkward widths (${title})`, async (gpu) => {
      const { checkpoint, config, tensors } = await randomCheckpoint(AWKWARD);
      const options = { tuning, ...(maxBindingBytes && { maxBindingBytes }) };
      const model = await Gpt2.load(gpu, checkpoint, options);
      const shards = gpu.ledger.byLabel().find(({ label }) => label === "wte.weight")?.buffers;
      assert.equal(shards, maxBindingBytes ? 2 : 1);

      const next = seededRandom(1);
      const ids = Array.from({ length: config.nCtx }, () => Math.floor(next() * config.vocabSize));
      ids[0] = config.vocabSize - 1;
      const expected = gpt2Cpu(config, tensors, ids);
      for (const variant of [NO_CACHE, STATIC, DYNAMIC, paged(7)]) {
        await withDecoder(model, { variant, maxOutputs: config.nCtx }, async (decoder) => {
          decoder.begin([ids]);
          const logits = await decoder.logits(config.nCtx);
          assertClose(logits.flatMap((row) => [...row]), expected, {
            tolerance: TOLERANCE,
            name: variant.name,
            width: config.vocabSize,
          });
        });
      }
      model.dispose();
      checkpoint.close();
      assert.equal(gpu.ledger.current.total, 0);
    });
  }
}

gpuTest("Gpt2.load() names a tensor that the device can't bind, and leaks nothing", async (gpu) => {
  const { checkpoint } = await randomCheckpoint(AWKWARD);
  const loading = Gpt2.load(gpu, checkpoint, {
    tuning: HARDWARE_TUNING,
    maxBindingBytes: SMALL_BINDING_BYTES - 1,
  });
  await assert.rejects(loading, {
    name: "KvbenchError",
    message: "Tensor h.0.attn.c_attn.weight takes 7680 bytes: this device binds at most 7679",
  });
  checkpoint.close();
});
