/**
 * The commands take every strategy with its options: one bench of all that are not compared by default, one simulation of
 * all that serve, a profile of each, and `generate` with each. The hardware's kernels decode with each.
 */
import assert from "node:assert/strict";
import { locateModel } from "../src/hub/locate.ts";
import { chooseKv, strategies, strategyNames } from "../src/kv/registry.ts";
import { profileSteps } from "../src/measure/profile/profile.ts";
import { parseResult } from "../src/measure/record/result.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { HARDWARE_TUNING, SOFTWARE_TUNING, type Tuning } from "../src/model/tuning.ts";
import { withDecoder } from "../src/engine/with_decoder.ts";
import { KV_DTYPES } from "../src/formats/registry.ts";
import { generateCommand } from "../src/cli/commands/generate.ts";
import { goldenCase, ignore, printed, RANDOM_SMALL, stdoutOf } from "./cli_support.ts";
import { gpuTest } from "./gpu_support.ts";

const MODEL = ["--model", RANDOM_SMALL, "--no-autotune"], READS = { read: [RANDOM_SMALL] };
/** Options that a prompt of 30 tokens tells apart. */
const OWN = ["--budget", "12", "--observe", "4", "--recent", "3", "--sinks", "2", "--resident-layers", "1"];
/** Of a token in one layer of the model, which has three: 2 · width 80 · 4 bytes. */
const LAYERS_BYTES = 2 * 3 * 80 * 4;

Deno.test("bench takes every strategy that is not compared by default, and counts what each keeps", {
  ignore,
}, async () => {
  const sizes = ["--prompt-tokens", "30", "--new-tokens", "6", "--runs", "1", "--warmup", "0"];
  const compared = ["--strategies", "kv-cache,window,snapkv,h2o,offload,paged-gather", "--block-size", "7"];
  const swept = ["--sweep", "window=4,9", "--sweep", "heavy=2,5", "--no-accuracy", "--json", "-"];
  const text = await stdoutOf(["bench", ...MODEL, ...sizes, ...compared, ...OWN, ...swept], READS);
  assert.deepEqual(
    parseResult(JSON.parse(text), "stdout").cells.map(({ strategy, settings, memory }) => [
      strategy,
      settings.window ?? settings.heavy ?? null,
      memory.kv_tokens,
      memory.kv_allocated_bytes / LAYERS_BYTES,
    ]),
    [
      ["kv-cache", null, 35, 48],
      ["window", 4, 6, 21],
      ["window", 9, 11, 26],
      ["snapkv", null, 17, 18],
      ["h2o", 2, 5, 6],
      ["h2o", 5, 8, 9],
      ["offload", null, 35, 48],
      ["paged-gather", null, 35, 63],
    ],
  );
});

Deno.test(
  "serve-sim takes every strategy that serves and is not compared by default",
  { ignore },
  async () => {
    const served = ["--policies", "paged,window,offload,paged-gather", "--resident-layers", "1"];
    const sim = ["serve-sim", ...MODEL, ...served, "--requests", "6", "--lengths", "alpaca", "--verify"];
    const table = await stdoutOf(sim, READS);
    for (const name of ["window", "offload", "paged-gath"]) assert.ok(table.includes(name), table);
  },
);

Deno.test("generate takes every strategy: exact ones print the golden continuation, others as many ids", {
  ignore,
}, async () => {
  const { ids, greedy } = await goldenCase("random-small", "fifteen");
  const args = [...MODEL, "--prompt-ids", ids.join(","), "--output", "ids", "--max-new-tokens", "33"];
  for (const { name, traits: { exact } } of strategies()) {
    const own = [...args, "--strategy", name, ...optionsOf(name)];
    const text = await printed(() => generateCommand().parseAsync(own, { from: "user" }));
    if (exact) assert.equal(text, `${greedy}\n`, name);
    else assert.match(text, /^\d+(,\d+){32}\n$/, name);
  }
});

/** Options of a strategy out of {@linkcode OWN}: `generate` refuses those of others. */
function optionsOf(name: string): string[] {
  const flags = Object.values(chooseKv(name).strategy.options).map(({ flag }) => `--${flag}`);
  return OWN.flatMap((flag, i) => flags.includes(flag) ? [flag, OWN[i + 1]!] : []);
}

/** Settings with which a prompt of 20 tokens has some to forget. */
const settingsOf = (strategy: string) => strategy === "h2o" ? { heavy: 5, recent: 3 } : {};

/** The kernels of a decode step that a strategy alone has. */
const KERNELS: Readonly<Record<string, readonly string[]>> = {
  "paged-gather": ["kv gather"],
  h2o: ["kept step", "kept move"],
};

gpuTest("profile takes every strategy, and names the kernels that it alone has", async (gpu) => {
  const opened = await locateModel(RANDOM_SMALL), model = await Gpt2.load(gpu, opened);
  opened.close();
  const prompts = [Array.from({ length: 20 }, (_, i) => 7 * i)];
  for (const strategy of strategyNames()) {
    const kvOptions = settingsOf(strategy);
    const decoding = { strategy, kvOptions, kvDtype: "f32", prompts, steps: 1 };
    const { kernels, prefillKernels } = await profileSteps(model, decoding);
    const has = (name: string, all = kernels) => all.some(({ kernel }) => kernel.startsWith(name));
    for (const name of KERNELS[strategy] ?? []) assert.ok(has(name), `${strategy}: ${name}`);
    if (strategy !== "h2o") continue;
    for (const name of ["kept norms", "kept scores", "kept choice", "kept store"]) {
      assert.ok(has(name, prefillKernels), name);
    }
  }
  model.dispose();
}, { needs: ["read"] });

gpuTest(
  "Every strategy decodes the same ids with hardware's kernels, over each storage type of K and V",
  async (gpu) => {
    const opened = await locateModel(RANDOM_SMALL);
    const load = (tuning: Tuning) => Gpt2.load(gpu, opened, { tuning });
    const models = [await load(SOFTWARE_TUNING), await load(HARDWARE_TUNING)];
    opened.close();
    const prompts = [Array.from({ length: 20 }, (_, i) => 7 * i), [3]];
    const sizes = { nSequences: 2, maxPromptTokens: 20, maxTokens: 24 };
    for (const [i, strategy] of strategyNames().entries()) {
      const kvOptions = settingsOf(strategy);
      const decoding = { strategy, kvOptions, kvDtype: KV_DTYPES[i % KV_DTYPES.length]!, ...sizes };
      const [software, hardware] = await Promise.all(
        models.map((model) =>
          withDecoder(model, decoding, async (decoder) => {
            decoder.begin(prompts);
            decoder.advance(3);
            return await decoder.ids(prompts.map(({ length }) => length));
          })
        ),
      );
      assert.deepEqual(hardware, software, `${strategy} over ${decoding.kvDtype}`);
    }
    for (const model of models) model.dispose();
  },
  { needs: ["read"] },
);
