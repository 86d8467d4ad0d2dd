/**
 * What narrower numbers cost, against logits of which one was changed on purpose, and on a model on the GPU.
 */
import assert from "node:assert/strict";
import { accuracyOf, MAX_POSITIONS, referenceOf } from "../src/measure/quality/accuracy.ts";
import type { Dtype } from "../src/formats/registry.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { SOFTWARE_TUNING } from "../src/model/tuning.ts";
import { withRandomModel } from "./decode_support.ts";
import { AWKWARD, randomCheckpoint } from "./fixtures/checkpoint.ts";
import { gpuTest } from "./gpu_support.ts";

const PROMPT = [5, 3, 8, 1, 7];

gpuTest(
  "A model in float32 agrees with itself, and with a changed reference in all but what was changed",
  async (gpu) => {
    await withRandomModel(gpu, async (model) => {
      const reference = await referenceOf(model, PROMPT, 6);
      assert.deepEqual(reference.ids.slice(0, PROMPT.length), PROMPT);
      assert.equal(reference.ids.length, PROMPT.length + 5);
      assert.equal(reference.logits.length, 6);
      const same = await accuracyOf(model, reference, "f32");
      assert.deepEqual([same.positions, same.greedy_equal], [6, 6]);
      assert.ok(same.max_logit_difference < 1e-4, String(same.max_logit_difference));
      // Every greedy id of the reference is the largest logit before it.
      reference.logits.slice(0, -1).forEach((row, i) => {
        assert.equal(row.indexOf(Math.max(...row)), reference.ids[PROMPT.length + i]);
      });

      const logits = reference.logits.map((row) => row.slice());
      logits[2]![0] = 1000;
      const other = await accuracyOf(model, { ...reference, logits }, "f32");
      assert.deepEqual([other.positions, other.greedy_equal], [6, 5]);
      assert.ok(Math.abs(other.max_logit_difference - (1000 - reference.logits[2]![0]!)) < 1e-3);
    });
  },
);

gpuTest(
  "Narrower numbers differ from float32, more where they are narrower, and take fewer bytes",
  async (gpu) => {
    const { checkpoint } = await randomCheckpoint(AWKWARD);
    const tuning = { ...SOFTWARE_TUNING, texels: false }; // so small a matrix is one row of texels in any type
    const load = (weightsDtype: Dtype) => Gpt2.load(gpu, checkpoint, { weightsDtype, tuning });
    const f32 = await load("f32");
    const reference = await referenceOf(f32, PROMPT, 4);
    const kvOnly = await accuracyOf(f32, reference, "int8");
    f32.dispose();
    const differences = [];
    for (const dtype of ["f16", "int8"] as const) {
      const model = await load(dtype);
      const accuracy = await accuracyOf(model, reference, dtype);
      model.dispose();
      assert.deepEqual([accuracy.weights_dtype, accuracy.kv_dtype, accuracy.positions], [dtype, dtype, 4]);
      assert.ok(accuracy.greedy_equal <= 4);
      assert.ok(accuracy.stored.weights_bytes < accuracy.stored_f32.weights_bytes);
      assert.ok(accuracy.stored.kv_bytes_per_token < accuracy.stored_f32.kv_bytes_per_token);
      differences.push(accuracy.max_logit_difference);
    }
    checkpoint.close();
    const [f16, int8] = differences as [number, number];
    assert.ok(0 < f16 && f16 < int8, `f16 ${f16}, int8 ${int8}`);
    assert.ok(0 < kvOnly.max_logit_difference && kvOnly.max_logit_difference < int8);
    assert.equal(kvOnly.stored.weights_bytes, kvOnly.stored_f32.weights_bytes);
  },
);

gpuTest("At most so many positions are compared as logits can be held", async (gpu) => {
  await withRandomModel(gpu, async (model) => {
    const { logits, ids } = await referenceOf(model, PROMPT, MAX_POSITIONS + 9);
    assert.equal(logits.length, MAX_POSITIONS);
    assert.equal(ids.length, PROMPT.length + MAX_POSITIONS - 1);
    assert.equal(
      (await accuracyOf(model, { logits, ids, stored: { weights_bytes: 1, kv_bytes_per_token: 1 } }, "f32"))
        .greedy_equal,
      MAX_POSITIONS,
    );
  }, { ...AWKWARD, n_ctx: 128 });
});
