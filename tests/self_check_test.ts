/**
 * A kernel that computes something else than it should is found and named, and nothing is timed: WGSL is changed on its
 * way into the compiler, as a driver would that compiles it wrongly.
 *
 * @module
 */
import assert from "node:assert/strict";
import { firstWrong, kernelChecks, verdicts } from "../src/check/kernel_checks.ts";
import { parseSelfTest } from "../src/check/selftest_result.ts";
import { selfCheck } from "../src/check/self_check.ts";
import { benchCommand } from "../src/cli/commands/bench.ts";
import { selftestCommand } from "../src/cli/commands/selftest.ts";
import type { Gpu } from "../src/gpu/gpu.ts";
import { openGpu } from "../src/host/gpu.ts";
import { locateModel } from "../src/hub/locate.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { parseConfig } from "../src/checkpoint/config.ts";
import { HARDWARE_TUNING, SOFTWARE_TUNING } from "../src/model/tuning.ts";
import { selfTestTable } from "../src/report/selftest_table.ts";
import { AWKWARD, randomCheckpoint } from "./fixtures/checkpoint.ts";
import { gpuTest } from "./gpu_support.ts";
import { permitted } from "./permitted.ts";

/** What makes each kernel wrong: one place in its file. */
const BREAKS: Readonly<Record<string, readonly [string, string]>> = {
  "embedding.wgsl": ["value + wpe[", "value - wpe["],
  "layer_norm.wgsl": [" - mean) * scale *", " - mean) * 1.001 * scale *"],
  "linear_row.wgsl": ["k4 < K4;", "k4 + 1u < K4;"],
  "linear_row_wide.wgsl": ["k4 < K4;", "k4 + 1u < K4;"],
  "linear_rows_wide.wgsl": ["k4 < K4;", "k4 + 1u < K4;"],
  "linear_rows_tall.wgsl": ["k4 < K4;", "k4 + 1u < K4;"],
  "linear_row_split.wgsl": ["k4 < K4;", "k4 + 1u < K4;"],
  "linear_rows_split.wgsl": ["k4 < K4;", "k4 + 1u < K4;"],
  "linear_rows_block.wgsl": ["k4 < K4;", "k4 + 1u < K4;"],
  "kv_write.wgsl": ["* 3u + 1u + part)", "* 3u + 2u - part)"],
  "attention_combine.wgsl": [", o / l);", ", o / (l + 0.001));"],
  "attention_prefill.wgsl": ["key_scale = SCALE * kv", "key_scale = SCALE * 1.01 * kv"],
  "attention_decode.wgsl": ["SCALE * sum *", "SCALE * 1.01 * sum *"],
  "kv_copy.wgsl": ["i < line * copy.n_slots", "i + 1u < copy.n_slots"],
  "argmax.wgsl": ["best_ids[i] < id)", "best_ids[i] > id)"],
  "argmax_parts.wgsl": ["min(first + stretch,", "min(first + 1u,"],
  "kept_choice.wgsl": ["other > own ||", "other < own ||"],
  "kept_step.wgsl": ["].raw = s[i];", "].raw = 1.01 * s[i];"],
  "sample.wgsl": ["* 1664525u", "* 1664527u"],
};

/** Gives `body` a device of its own: what is compiled on one is not compiled again. */
async function withOwnGpu(body: (gpu: Gpu) => Promise<void>): Promise<void> {
  const gpu = await openGpu();
  await body(gpu);
  gpu.dispose();
}

/** Changes a kernel's file while `body` runs. Its file is the last of those that are joined. */
async function withBroken<T>(
  file: string,
  body: () => Promise<T>,
  [from, to]: readonly [string, string] = BREAKS[file]!,
): Promise<T> {
  const { createShaderModule } = GPUDevice.prototype;
  GPUDevice.prototype.createShaderModule = function ({ label, code, ...rest }: GPUShaderModuleDescriptor) {
    const broken = label !== undefined && (label === file || label.endsWith(` + ${file}`));
    assert.ok(!broken || code.includes(from), `${file} has no ${from}`);
    const text = broken ? code.replaceAll(from, to) : code;
    return createShaderModule.call(this, { ...rest, ...(label !== undefined && { label }), code: text });
  };
  try {
    return await body();
  } finally {
    GPUDevice.prototype.createShaderModule = createShaderModule;
  }
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
  Deno.test(`A broken ${file} is named`, () =>
    withOwnGpu(async (gpu) => {
      const wrong = await withBroken(file, () => firstWrong(gpu, CHECKS));
      assert.deepEqual([wrong?.kernel, wrong?.verdict], [file, "wrong"], wrong?.detail);
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
    const passed = await selfCheck(model, { weights, strategy: "paged", kvDtypes: ["f32"] });
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

Deno.test("selftest prints a record of every check as JSON, and a table, and fails where a kernel is wrong", {
  ignore: !permitted("read"),
}, async () => {
  const { log } = console;
  const { exitCode } = Deno;
  const lines: string[] = [];
  console.log = (line: string) => lines.push(line);
  try {
    await withBroken(
      "attention_decode.wgsl",
      () => selftestCommand().parseAsync(["--json"], { from: "user" }),
    );
    assert.equal(Deno.exitCode, 1);
  } finally {
    console.log = log;
    Deno.exitCode = exitCode;
  }
  const record = parseSelfTest(JSON.parse(lines.join("\n")), "stdout");
  const wrong = record.checks.filter(({ verdict }) => verdict !== "right").map(({ kernel }) => kernel);
  assert.deepEqual([...new Set(wrong)], ["attention_decode.wgsl", "golden prompts"]);
  const table = selfTestTable(record);
  assert.match(table, /^WebGPU of Deno: .+, (software|hardware), .+$/m);
  assert.match(table, /attention_decode\.wgsl +paged by 16, f32, .+ +\S+ +4\.0e-6 +wrong/);
  assert.match(table, /^attention_decode\.wgsl \(paged by 16, f32, software tuning\) is wrong: 7 rows/m);
  assert.match(table, /^\d+ of \d+ checks are not right$/m);
});
