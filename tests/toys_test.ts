/**
 * A storage type and an operator from outside `src` are registered, and nothing else is told of them: the model
 * computes with the one, and the command line and the self-check know both.
 *
 * @module
 */
import assert from "node:assert/strict";
import { parseSelfTest } from "../src/check/selftest_result.ts";
import { generateCommand } from "../src/cli/commands/generate.ts";
import { selftestCommand } from "../src/cli/commands/selftest.ts";
import { registerFormat } from "../src/formats/registry.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { memoryNeed } from "../src/model/memory.ts";
import { registerOperator } from "../src/model/operators.ts";
import { HARDWARE_TUNING, SOFTWARE_TUNING } from "../src/model/tuning.ts";
import { paged, STATIC, withDecoder } from "./decode_support.ts";
import { randomCheckpoint } from "./fixtures/checkpoint.ts";
import { gpt2Cpu } from "./fixtures/gpt2_cpu.ts";
import { storedTensors } from "./fixtures/stored_tensors.ts";
import { BF16 } from "./fixtures/toys/bf16.ts";
import { RMS_NORM } from "./fixtures/toys/rms_norm/operator.ts";
import { assertClose, gpuTest } from "./gpu_support.ts";
import { permitted } from "./permitted.ts";

registerFormat(BF16);
registerOperator(RMS_NORM);

const SMALL = { n_layer: 2, n_head: 2, n_embd: 64, n_inner: 96, n_ctx: 24, vocab_size: 203 };

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

/** Runs a command in this process and returns what it prints. */
async function printed(run: () => Promise<unknown>): Promise<string> {
  const { log } = console, { write, writeSync } = Deno.stdout, parts: string[] = [];
  const keep = (bytes: Uint8Array) => {
    parts.push(new TextDecoder().decode(bytes));
    return bytes.length;
  };
  console.log = (line: string) => parts.push(`${line}\n`);
  Deno.stdout.writeSync = keep;
  Deno.stdout.write = (bytes) => Promise.resolve(keep(bytes));
  try {
    await run();
  } finally {
    console.log = log;
    Object.assign(Deno.stdout, { write, writeSync });
  }
  return parts.join("");
}

const ignore = !permitted("read", "env");

Deno.test("generate takes a registered storage type by its name", { ignore }, async () => {
  const args = [
    "--prompt-ids",
    "7454,2402,257,640",
    "--output",
    "ids",
    "--max-new-tokens",
    "5",
    "--no-autotune",
  ];
  const text = await printed(() =>
    generateCommand().parseAsync([...args, "--weights-dtype", BF16.name], { from: "user" })
  );
  assert.match(text.trim(), /^(?:\d+[,\s]+){4}\d+$/);
});

Deno.test("selftest checks a registered storage type and a registered operator", { ignore }, async () => {
  const text = await printed(() => selftestCommand().parseAsync(["--json"], { from: "user" }));
  const { checks } = parseSelfTest(JSON.parse(text), "stdout");
  assert.deepEqual(checks.filter(({ verdict }) => verdict !== "right"), []);
  const ofFormat = checks.filter(({ variant }) => variant.startsWith(BF16.name)).map(({ kernel }) => kernel);
  assert.ok(
    ofFormat.includes("embedding.wgsl") && ofFormat.includes("linear_rows_block.wgsl"),
    String(ofFormat),
  );
  assert.equal(checks.filter(({ kernel }) => kernel === "rms_norm.wgsl").length >= 2, true);
});
