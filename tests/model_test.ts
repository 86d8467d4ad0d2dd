/**
 * A whole model whose every width needs padding, against a float64 pass on the CPU: both tunings, every strategy,
 * with the token embedding whole and in shards.
 */
import assert from "node:assert/strict";
import { seededRandom } from "../src/base/random.ts";
import { type Dtype, weightStorage } from "../src/formats/registry.ts";
import { kvRowBytes } from "../src/kv/shape.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { memoryNeed } from "../src/model/memory.ts";
import { BROADCAST_TUNING, HARDWARE_TUNING, SOFTWARE_TUNING } from "../src/model/tuning.ts";
import { DYNAMIC, kvInUse, NO_CACHE, paged, STATIC, type Variant, withDecoder } from "./decode_support.ts";
import { AWKWARD, randomCheckpoint } from "./fixtures/checkpoint.ts";
import { gpt2Cpu } from "./fixtures/gpt2_cpu.ts";
import { storedTensors } from "./fixtures/stored_tensors.ts";
import { assertClose, deviceRuns, gpuTest } from "./gpu_support.ts";

/** Logits of up to 9, of which float32 over three layers was measured to lose 6e-6 at most. */
const TOLERANCE = 5e-5;
/**
 * The largest tensor that can't be split, `c_attn.weight`: 20 × 72 elements, which the hardware tuning packs
 * into 20 × 80 with some vectors of padding.
 */
const SMALL_BINDING_BYTES = 6656;
/** A head that is not the token embedding. */
const UNTIED = { ...AWKWARD, tie_word_embeddings: false };

for (const [head, keys] of [["tied", AWKWARD], ["untied", UNTIED]] as const) {
  for (
    const [tuning, maxBindingBytes] of [
      [SOFTWARE_TUNING, undefined],
      [SOFTWARE_TUNING, SMALL_BINDING_BYTES],
      [HARDWARE_TUNING, undefined],
      [HARDWARE_TUNING, SMALL_BINDING_BYTES],
    ] as const
  ) {
    const title = `${head} head, ${tuning.name} tuning, token embedding ${
      maxBindingBytes ? "in shards" : "whole"
    }`;
    gpuTest(`Gpt2 equals the CPU's pass at awkward widths (${title})`, async (gpu) => {
      const { checkpoint, config, tensors } = await randomCheckpoint(keys);
      const options = { tuning, ...(maxBindingBytes && { maxBindingBytes }) };
      const model = await Gpt2.load(gpu, checkpoint, options);
      for (const [tensor, has] of [["wte.weight", true], ["lm_head.weight", head === "untied"]] as const) {
        const shards = gpu.ledger.byLabel().find(({ label }) => label === tensor)?.buffers;
        if (!has) assert.equal(shards, undefined, tensor);
        else if (maxBindingBytes) assert.ok(shards! > 1, tensor);
        else assert.equal(shards, 1, tensor);
      }
      // Shards of so small a device are padded one by one.
      if (!maxBindingBytes) {
        assert.equal(gpu.ledger.current.weights - 16, memoryNeed(config, tuning).weightsBytes);
      }

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

for (const weightsDtype of ["f16", "int8", "int4"] as const) {
  for (
    const [head, tuning, keys] of [
      ["tied", SOFTWARE_TUNING, AWKWARD],
      ["untied", SOFTWARE_TUNING, UNTIED],
      ["tied", HARDWARE_TUNING, AWKWARD],
      ["untied", HARDWARE_TUNING, UNTIED],
    ] as const
  ) {
    gpuTest(
      `Gpt2 with ${weightsDtype} weights equals the CPU's pass over stored tensors (${head} head, ${tuning.name} tuning)`,
      async (gpu) => {
        const { checkpoint, config, tensors } = await randomCheckpoint(keys);
        const model = await Gpt2.load(gpu, checkpoint, {
          tuning,
          weightsDtype,
          maxBindingBytes: SMALL_BINDING_BYTES,
        });
        const need = memoryNeed(config, { ...tuning, weightsDtype });
        assert.equal(gpu.ledger.current.weights - 16, need.weightsBytes);
        const next = seededRandom(1);
        const ids = Array.from({ length: config.nCtx }, () => Math.floor(next() * config.vocabSize));
        const expected = gpt2Cpu(config, storedTensors(tensors, config, weightsDtype), ids);
        await withDecoder(model, { variant: STATIC, maxOutputs: config.nCtx }, async (decoder) => {
          decoder.begin([ids]);
          const logits = await decoder.logits(config.nCtx);
          assertClose(logits.flatMap((row) => [...row]), expected, {
            tolerance: TOLERANCE,
            name: weightsDtype,
            width: config.vocabSize,
          });
        });
        model.dispose();
        checkpoint.close();
      },
    );
  }
}

/** Heads and widths that are not padded, so that the CPU finds the inputs that share a step together as kernels do. */
const UNPADDED = { n_layer: 2, n_head: 2, n_embd: 64, n_inner: 100, n_ctx: 24, vocab_size: 203 };
/** An input in the middle of two steps may be rounded either way, which moves logits of up to 9 by a few thousandths. */
const ROUNDED_TOLERANCE = 0.02;

for (const tuning of [SOFTWARE_TUNING, BROADCAST_TUNING, HARDWARE_TUNING]) {
  const lanes = tuning.broadcastRows ? " by broadcast" : "";
  gpuTest(
    `Gpt2 with w8a8 weights rounds the inputs of every product (${tuning.name} tuning${lanes})`,
    async (gpu) => {
      const { checkpoint, config, tensors } = await randomCheckpoint(UNPADDED), weightsDtype = "w8a8";
      const model = await Gpt2.load(gpu, checkpoint, { tuning, weightsDtype });
      const ids = Array.from({ length: config.nCtx }, (_, i) => (i * 37 + 5) % config.vocabSize);
      const stored = storedTensors(tensors, config, weightsDtype), { inputs } = weightStorage(weightsDtype);
      const expected = gpt2Cpu(config, stored, ids, "", inputs), plain = gpt2Cpu(config, stored, ids);
      const moved = Math.max(...expected.map((logit, i) => Math.abs(logit - plain[i]!)));
      assert.ok(moved > 2 * ROUNDED_TOLERANCE, String(moved));
      const name = weightsDtype, width = config.vocabSize, tolerance = ROUNDED_TOLERANCE;
      await withDecoder(model, { variant: STATIC, maxOutputs: config.nCtx }, async (decoder) => {
        decoder.begin([ids]);
        const logits = await decoder.logits(config.nCtx);
        assertClose(logits.flatMap((row) => [...row]), expected, { tolerance, name, width });
      });
      await withDecoder(model, { variant: STATIC, maxOutputs: 1 }, async (decoder) => {
        decoder.begin([ids.slice(0, -1)]);
        await decoder.logits(1);
        decoder.append([ids.slice(-1)]);
        const [last] = await decoder.logits(1);
        assertClose(last!, expected.slice(-width), { tolerance, name: "a step of one row", width });
      });
      model.dispose();
      checkpoint.close();
    },
    { ignored: !await deviceRuns(tuning) },
  );
}

/** Logits of up to 9: float16 keeps 11 bits of K and V, int8 about 7. */
const KV_TOLERANCES = { f16: 0.01, int8: 0.4 };

for (const kvDtype of ["f16", "int8"] as const) {
  gpuTest(
    `Every strategy decodes alike with ${kvDtype} K/V, near float32, and the ledger's bytes are the formula's`,
    async (gpu) => {
      const { checkpoint, config } = await randomCheckpoint(AWKWARD);
      const model = await Gpt2.load(gpu, checkpoint);
      const next = seededRandom(1);
      const ids = Array.from({ length: config.nCtx }, () => Math.floor(next() * config.vocabSize));
      const all = async (variant: Variant, dtype: Dtype) =>
        await withDecoder(
          model,
          { variant, kvDtype: dtype, maxOutputs: config.nCtx },
          async (decoder) => {
            decoder.begin([ids]);
            const rows = await decoder.logits(config.nCtx);
            const { tokens, layersKept, usedBytes, allocatedBytes } = kvInUse(decoder);
            assert.equal(usedBytes, tokens * layersKept * kvRowBytes({ ...config, ...model.dims, dtype }));
            assert.equal(gpu.ledger.current.kv, allocatedBytes);
            return rows.flatMap((row) => [...row]);
          },
        );
      const exact = await all(NO_CACHE, "f32");
      const first = await all(NO_CACHE, kvDtype);
      assertClose(first, exact, {
        tolerance: KV_TOLERANCES[kvDtype],
        name: kvDtype,
        width: config.vocabSize,
      });
      assert.notDeepEqual(first, exact);
      for (const variant of [STATIC, DYNAMIC, paged(7)]) {
        assertClose(await all(variant, kvDtype), first, {
          tolerance: 0,
          name: variant.name,
          width: config.vocabSize,
        });
      }
      model.dispose();
      checkpoint.close();
    },
  );
}

gpuTest("Gpt2.load() names a tensor that the device can't bind, and leaks nothing", async (gpu) => {
  const { checkpoint } = await randomCheckpoint(AWKWARD);
  const loading = Gpt2.load(gpu, checkpoint, {
    tuning: HARDWARE_TUNING,
    maxBindingBytes: SMALL_BINDING_BYTES - 1,
  });
  await assert.rejects(loading, {
    name: "KvbenchError",
    message: "Tensor h.0.attn.c_attn.weight takes 6656 bytes: this device binds at most 6655",
  });
  checkpoint.close();
});
