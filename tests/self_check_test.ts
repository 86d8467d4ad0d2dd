/** A kernel that computes something else than it should is found and named, and nothing is timed. */
import assert from "node:assert/strict";
import { firstWrong, kernelChecks, verdicts } from "../src/check/kernel_checks.ts";
import { selfCheck } from "../src/check/self_check.ts";
import { benchCommand } from "../src/cli/commands/bench.ts";
import type { Gpu } from "../src/gpu/gpu.ts";
import { openGpu } from "../src/host/gpu.ts";
import { locateModel } from "../src/hub/locate.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { parseConfig } from "../src/checkpoint/config.ts";
import { HARDWARE_TUNING, SOFTWARE_TUNING } from "../src/model/tuning.ts";
import { BREAKS, withBroken } from "./broken_kernel.ts";
import { AWKWARD, randomCheckpoint } from "./fixtures/checkpoint.ts";
import { gpuTest } from "./gpu_support.ts";
import { permitted } from "./permitted.ts";

/** Gives `body` a device of its own: what is compiled on one is not compiled again. */
async function withOwnGpu(body: (gpu: Gpu) => Promise<void>): Promise<void> {
  const gpu = await openGpu();
  await body(gpu);
  gpu.dispose();
}

const CONFIG = parseConfig(
  { model_type: "gpt2", bos_token_id: 0, eos_token_id: 0, ...AWKWARD },
  "config.json",
);
const CHECKS = kernelChecks({
  config: CONFIG,
  tunings: [SOFTWARE_TUNING, HARDWARE_TUNING],
  weightsDtypes: ["f32"],
  kvDtypes: ["f32"],
});

gpuTest("No kernel is found wrong that is right, and every kernel is checked", async (gpu) => {
  assert.equal(await firstWrong(gpu, CHECKS), undefined);
  assert.deepEqual(new Set(CHECKS.map(({ kernel }) => kernel)), new Set(Object.keys(BREAKS)));
});

for (const file of Object.keys(BREAKS)) {
  const checks = CHECKS.filter(({ kernel }) => kernel === file); // those of others see nothing of the change
  Deno.test(`A broken ${file} is found by its own checks`, () =>
    withOwnGpu(async (gpu) => {
      const wrong = await withBroken(file, () => firstWrong(gpu, checks));
      assert.equal(wrong?.verdict, "wrong", wrong?.detail);
    }));
}

Deno.test("A kernel that does not compile has failed, and those after it are still checked", () =>
  withOwnGpu(async (gpu) => {
    const found: Record<string, string> = {};
    await withBroken("layer_norm.wgsl", async () => {
      for await (const { kernel, verdict, detail } of verdicts(gpu, CHECKS)) {
        if (kernel === "layer_norm.wgsl") {
          assert.match(detail, /^WGSL does not compile: layer_norm\.wgsl:\d+:/);
        }
        found[kernel] = verdict;
      }
    }, [" - mean) * scale *", " - mean) ** scale *"]);
    assert.equal(found["layer_norm.wgsl"], "failed");
    assert.equal(
      Object.values(found).filter((verdict) => verdict === "right").length,
      new Set(CHECKS.map(({ kernel }) => kernel)).size - 1,
    );
  }));

gpuTest("selfCheck() passes models with golden prompts and without", async (gpu) => {
  const embedded = await locateModel("tiny");
  const random = await randomCheckpoint(AWKWARD);
  for (const [checkpoint, weightsDtype] of [[embedded, "f32"], [random.checkpoint, "int8"]] as const) {
    const model = await Gpt2.load(gpu, checkpoint, { weightsDtype });
    const weights = await checkpoint.origin();
    const passed = await selfCheck(model, { weights, strategies: ["paged"], kvDtypes: ["f32"] });
    assert.ok(passed.every(({ verdict }) => verdict === "right"));
    const kernels = new Set(passed.map(({ kernel }) => kernel));
    assert.equal(kernels.has("golden prompts"), checkpoint === embedded);
    assert.equal(kernels.size > 10, checkpoint !== embedded);
    model.dispose();
    checkpoint.close();
  }
}, { needs: ["read"] });

Deno.test(
  "bench times nothing where a kernel is wrong, and says which",
  { ignore: !permitted("read") },
  async () => {
    const args = ["--no-autotune", "--runs", "1", "--warmup", "0", "--new-tokens", "2", "--json", "-"];
    await withBroken("layer_norm.wgsl", async () => {
      await assert.rejects(benchCommand().parseAsync(args, { from: "user" }), {
        name: "WrongResultsError",
        message:
          /^The adapter ".+" computes wrong results, so nothing is timed: layer_norm\.wgsl \(all rows, .+\): .+: off by .+selftest/,
      });
    });
  },
);
