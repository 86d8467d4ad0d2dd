/**
 * The autotuner: its choice runs the model right, whatever it is, and it leaves nothing behind.
 *
 * @module
 */
import assert from "node:assert/strict";
import { autotune } from "../src/model/autotune.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { STATIC, withDecoder } from "./decode_support.ts";
import { AWKWARD, randomCheckpoint } from "./fixtures/checkpoint.ts";
import { gpt2Cpu } from "./fixtures/gpt2_cpu.ts";
import { assertClose, gpuTest } from "./gpu_support.ts";
import { timeCandidates, TuningBudget } from "../src/gpu/autotune.ts";

gpuTest(
  "autotune() chooses variants that compute what the CPU computes, and frees all it took",
  async (gpu) => {
    const { checkpoint, config, tensors } = await randomCheckpoint(AWKWARD);
    const tuning = await autotune(gpu, { config, weightsDtype: "f32", kvDtype: "f32" });
    assert.equal(gpu.ledger.current.total, 0);
    assert.equal(tuning.name, "measured");
    const model = await Gpt2.load(gpu, checkpoint, { tuning });
    const ids = Array.from({ length: config.nCtx }, (_, i) => i * 7 % config.vocabSize);
    await withDecoder(model, { variant: STATIC, maxOutputs: config.nCtx }, async (decoder) => {
      decoder.begin([ids]);
      const logits = await decoder.logits(config.nCtx);
      const expected = gpt2Cpu(config, tensors, ids);
      assertClose(logits.flatMap((row) => [...row]), expected, { tolerance: 5e-5, name: "measured tuning" });
    });
    model.dispose();
    checkpoint.close();
  },
);

gpuTest("timeCandidates() times every candidate at least once, however short the budget", async (gpu) => {
  const counts = [0, 0];
  const candidates = counts.map((_, i) => () => void counts[i]!++);
  const times = await timeCandidates(gpu, candidates, new TuningBudget(0));
  assert.deepEqual(counts, [2, 2]); // the warm-up and one round
  assert.equal(times.length, 2);
});
