/**
 * A storage type from outside `src` is registered, and nothing else is told of it: the model computes with it, and the
 * command line knows it. (`selftest_test.ts` has the self-test, and an operator from outside.)
 */
import assert from "node:assert/strict";
import { benchCommand } from "../src/cli/commands/bench.ts";
import { generateCommand } from "../src/cli/commands/generate.ts";
import { reportCommand } from "../src/cli/commands/report.ts";
import { registerFormat } from "../src/formats/registry.ts";
import { parseResult } from "../src/measure/record/result.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { memoryNeed } from "../src/model/memory.ts";
import { HARDWARE_TUNING, SOFTWARE_TUNING } from "../src/model/tuning.ts";
import { inScratch, printed, RANDOM_SMALL } from "./cli_support.ts";
import { paged, STATIC, withDecoder } from "./decode_support.ts";
import { randomCheckpoint } from "./fixtures/checkpoint.ts";
import { gpt2Cpu } from "./fixtures/gpt2_cpu.ts";
import { storedTensors } from "./fixtures/stored_tensors.ts";
import { BF16 } from "./fixtures/toys/bf16.ts";
import { assertClose, gpuTest } from "./gpu_support.ts";
import { permitted } from "./permitted.ts";

registerFormat(BF16);

const SMALL = { n_layer: 2, n_head: 2, n_embd: 64, n_inner: 100, n_ctx: 24, vocab_size: 203 };

for (const tuning of [SOFTWARE_TUNING, HARDWARE_TUNING]) {
  gpuTest(
    `A model in a registered storage type equals the CPU's pass (${tuning.name} tuning)`,
    async (gpu) => {
      const { checkpoint, config, tensors } = await randomCheckpoint(SMALL);
      const model = await Gpt2.load(gpu, checkpoint, { tuning, weightsDtype: BF16.name });
      const { weightsBytes } = memoryNeed(config, { ...tuning, weightsDtype: BF16.name });
      assert.equal(gpu.ledger.current.weights - 16, weightsBytes);
      const ids = Array.from({ length: config.nCtx }, (_, i) => (i * 37 + 5) % config.vocabSize);
      const expected = gpt2Cpu(config, storedTensors(tensors, config, BF16.name), ids);
      for (const variant of [STATIC, paged(4)]) {
        await withDecoder(model, { variant, maxOutputs: config.nCtx }, async (decoder) => {
          decoder.begin([ids]);
          const logits = await decoder.logits(config.nCtx);
          assertClose(logits.flatMap((row) => [...row]), expected, {
            tolerance: 2e-4,
            name: variant.name,
            width: config.vocabSize,
          });
        });
      }
      model.dispose();
      checkpoint.close();
    },
  );
}

const ignore = !permitted("read", "write", "env");

Deno.test("generate, bench and report take a registered storage type by its name", { ignore }, async () => {
  await inScratch(async (folder) => {
    const model = ["--model", RANDOM_SMALL, "--no-autotune", "--weights-dtype", BF16.name];
    const generate = ["--prompt-ids", "1,2,3,4", "--output", "ids", "--max-new-tokens", "5"];
    const ids = await printed(() => generateCommand().parseAsync([...generate, ...model], { from: "user" }));
    assert.match(ids.trim(), /^(?:\d+,){4}\d+$/);

    const json = `${folder}/r.json`, work = ["--prompt-tokens", "9", "--new-tokens", "4", "--runs", "1"];
    const bench = [...work, "--warmup", "0", "--strategies", "kv-cache,paged", "--json", json];
    await printed(() => benchCommand().parseAsync([...bench, ...model], { from: "user" }));
    const { model: { weights_dtype }, cells, accuracy } = parseResult(
      JSON.parse(await Deno.readTextFile(json)),
      json,
    );
    assert.deepEqual([weights_dtype, cells.length], [BF16.name, 2]);
    assert.ok(accuracy.every(({ max_logit_difference: difference }) => 0 < difference && difference < 1));
    const table = await printed(() => reportCommand().parseAsync([json], { from: "user" }));
    assert.ok(table.includes(BF16.name), table);
  });
});
