/**
 * Storage types of K and V in whole models: each against a float64 pass that rounds as the type is defined to, in every
 * strategy; their bytes; and heads that a type can't store.
 */
import assert from "node:assert/strict";
import { openDecoder } from "../src/engine/with_decoder.ts";
import { tensorShapes } from "../src/checkpoint/tensors.ts";
import { chooseKv } from "../src/kv/registry.ts";
import { KvPool } from "../src/kv/pool.ts";
import { kvRowBytes } from "../src/kv/shape.ts";
import { makeKv } from "../src/kv/strategy_def.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { HARDWARE_TUNING, SOFTWARE_TUNING } from "../src/model/tuning.ts";
import { locateModel } from "../src/hub/locate.ts";
import { DYNAMIC, kvInUse, NO_CACHE, paged, STATIC, withDecoder } from "./decode_support.ts";
import { randomCheckpoint } from "./fixtures/checkpoint.ts";
import { gpt2Cpu } from "./fixtures/gpt2_cpu.ts";
import { assertClose, gpuTest } from "./gpu_support.ts";

/** Heads of 16: half a texel in four bits, so that K and V are in buffers where they are so narrow. */
const SMALL = { n_layer: 2, n_head: 3, n_embd: 48, n_inner: 64, n_ctx: 40, vocab_size: 131 };
/** Heads of 64: two texels in four bits. */
const WIDE = { n_layer: 2, n_head: 2, n_embd: 128, n_ctx: 40, vocab_size: 131 };

const TYPES = ["f16", "int8", "int4", "int4-plain", "int8/int4", "int4/f16", "f32/int4-plain"];

/**
 * Logits of up to 9. What float32 puts on the other side of a half is rounded by a step more or less: of the few thousand
 * values of such a test that happens to one or two, of one head, and moves a logit by a few hundredths in four bits.
 */
const TOLERANCE = 0.05;
/** A type's rounding moves logits by far more than that, so that no other rounding passes for it. */
const LEAST_MOVED = 4 * TOLERANCE;

/**
 * Kernels have every type in every tuning (`kv_write_kernel_test.ts`, `attention_kernels_test.ts`): models have what
 * differs by size.
 */
const MODELS = [
  [SOFTWARE_TUNING, SMALL, TYPES],
  [SOFTWARE_TUNING, WIDE, ["int4", "int4-plain", "int8/int4"]],
  [HARDWARE_TUNING, SMALL, ["f16", "int4"]],
  [HARDWARE_TUNING, WIDE, ["int8/int4", "f32/int4-plain"]],
] as const;

for (const [tuning, keys, types] of MODELS) {
  const size = keys.n_embd / keys.n_head;
  gpuTest(
    `K and V in every type equal the CPU's pass with its rounding (heads of ${size}, ${tuning.name} tuning)`,
    async (gpu) => {
      const { checkpoint, config, tensors } = await randomCheckpoint(keys);
      const model = await Gpt2.load(gpu, checkpoint, { tuning });
      const ids = Array.from({ length: config.nCtx }, (_, i) => (i * 37 + 5) % config.vocabSize);
      const exact = gpt2Cpu(config, tensors, ids);
      for (const kvDtype of types) {
        const expected = gpt2Cpu(config, tensors, ids, kvDtype);
        const every = kvDtype === "int8/int4" && keys === SMALL;
        for (const variant of every ? [NO_CACHE, STATIC, DYNAMIC, paged(7)] : [STATIC]) {
          await withDecoder(model, { variant, kvDtype, maxOutputs: config.nCtx }, async (decoder) => {
            decoder.begin([ids]);
            const logits = (await decoder.logits(config.nCtx)).flatMap((row) => [...row]);
            const options = { tolerance: TOLERANCE, width: config.vocabSize };
            assertClose(logits, expected, { ...options, name: `${variant.name}, ${kvDtype}` });
            const { tokens, layersKept, usedBytes, allocatedBytes } = kvInUse(decoder);
            const row = kvRowBytes({ ...config, ...model.dims, dtype: kvDtype });
            assert.equal(usedBytes, tokens * layersKept * row);
            assert.equal(gpu.ledger.current.kv, allocatedBytes);
          });
        }
        if (!kvDtype.includes("int4")) continue;
        const moved = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - exact[i]!)), 0);
        assert.ok(moved > LEAST_MOVED, `${kvDtype} moves logits by ${moved} only`);
      }
      model.dispose();
      checkpoint.close();
    },
  );
}

gpuTest("Decode steps read K and V in int4 as prefill does", async (gpu) => {
  const { checkpoint, config } = await randomCheckpoint(WIDE);
  const model = await Gpt2.load(gpu, checkpoint);
  const ids = Array.from({ length: config.nCtx }, (_, i) => (i * 37 + 5) % config.vocabSize);
  for (const kvDtype of ["int4", "int4/f16", "f16/int4"]) {
    for (const strategy of kvDtype === "int4" ? ["kv-cache", "paged", "max"] : ["paged"]) {
      const size = { nSequences: 2, maxPromptTokens: config.nCtx, maxTokens: config.nCtx };
      const decoder = await openDecoder(model, { strategy, kvDtype, ...size });
      decoder.begin([ids.slice(0, 20), ids.slice(0, 9)]);
      decoder.advance(11);
      const stepped = await decoder.logits();
      decoder.begin(await decoder.ids(0));
      (await decoder.logits()).forEach((row, i) =>
        assertClose(stepped[i]!, row, { tolerance: 1e-3, name: `${strategy}, ${kvDtype}, sequence ${i}` })
      );
      decoder.dispose();
    }
  }
  model.dispose();
  checkpoint.close();
});

for (const name of ["tiny", "tests/golden/random-small-checkpoint"]) {
  gpuTest(
    `Logits of ${name} with K and V in four bits equal the CPU's pass with its rounding`,
    async (gpu) => {
      const checkpoint = await locateModel(name);
      const { config } = checkpoint, tensors = new Map<string, Float32Array<ArrayBuffer>>();
      for (const tensor of tensorShapes(config).keys()) tensors.set(tensor, await checkpoint.read(tensor));
      const model = await Gpt2.load(gpu, checkpoint);
      const ids = Array.from({ length: 12 }, (_, i) => (i * 379 + 5) % config.vocabSize);
      for (const kvDtype of ["int4", "int8/int4-plain"]) {
        const expected = gpt2Cpu(config, tensors, ids, kvDtype);
        const need = { variant: STATIC, kvDtype, maxTokens: ids.length, maxOutputs: ids.length };
        await withDecoder(model, need, async (decoder) => {
          decoder.begin([ids]);
          const logits = (await decoder.logits(ids.length)).flatMap((row) => [...row]);
          assertClose(logits, expected, { tolerance: TOLERANCE, name: kvDtype, width: config.vocabSize });
        });
      }
      model.dispose();
      checkpoint.close();
    },
    { needs: ["read"] },
  );
}

gpuTest("A token of gpt2 takes 10,368 bytes of K and V in int4, as the ledger counts them", async (gpu) => {
  const need = { nSequences: 1, nLayer: 12, nCtx: 32, maxTokens: 32, maxRows: 32, budgetTokens: undefined };
  for (
    const [dtype, bytes] of [["f32", 73_728], ["int8", 19_584], ["int4", 10_368], [
      "int8/int4",
      14_976,
    ]] as const
  ) {
    for (const [strategy, movesSlots] of [["kv-cache", false], ["paged", false], ["paged", true]] as const) {
      for (const texels of [true, false]) {
        const { addressing, policy } = makeKv(chooseKv(strategy), { ...need, swapTokens: 0, watermark: 0 });
        const pool = await KvPool.create(gpu, {
          shape: { nHead: 12, a4: 192, dtype, nSequences: 1, texels },
          addressing,
          nSlots: policy.nSlots,
          movesSlots,
        });
        assert.equal(pool.storage, texels && !movesSlots ? "textures" : "buffers");
        assert.equal(gpu.ledger.current.kv, policy.nSlots * bytes);
        assert.equal(pool.tokenBytes, bytes);
        pool.dispose();
      }
    }
  }
});

gpuTest(
  "Heads that a type can't store are refused by their size, before anything is allocated",
  async (gpu) => {
    const model = async (n_head: number) => {
      const { checkpoint } = await randomCheckpoint({ ...SMALL, n_head });
      const loaded = await Gpt2.load(gpu, checkpoint);
      checkpoint.close();
      return loaded;
    };
    const cases = [
      [
        4,
        "int4",
        "K/V type int4 can't store heads of 12 values: expected a power of two from 8 on, or another type",
      ],
      [
        2,
        "f16/int4",
        "K/V type int4 can't store heads of 24 values: expected a power of two from 8 on, or another type",
      ],
      [
        4,
        "int4-plain/f32",
        "K/V type int4-plain can't store heads of 12 values: expected a multiple of 8, or another type",
      ],
      [
        12,
        "int4",
        "K/V type int4 can't store heads of 4 values: expected a power of two from 8 on, or another type",
      ],
    ] as const;
    for (const [heads, kvDtype, message] of cases) {
      const loaded = await model(heads), before = gpu.ledger.current.total;
      await assert.rejects(withDecoder(loaded, { variant: STATIC, kvDtype }, () => {}), {
        name: "UsageError",
        message,
      });
      assert.equal(gpu.ledger.current.total, before);
      loaded.dispose();
    }
    const loaded = await model(2);
    await withDecoder(loaded, { variant: STATIC, kvDtype: "int4-plain", maxTokens: 8 }, () => {});
    loaded.dispose();
  },
);
