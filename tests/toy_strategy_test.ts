/**
 * A strategy that is registered from outside `src/` takes part in everything: its kernels are checked, the commands know
 * it, and what disagrees with its reference is not timed.
 */
import assert from "node:assert/strict";
import { runTrial } from "../src/check/run_trial.ts";
import { KvbenchError, UsageError } from "../src/base/errors.ts";
import { locateModel } from "../src/hub/locate.ts";
import { register, strategyNamed } from "../src/kv/registry.ts";
import { withDecoder } from "../src/engine/with_decoder.ts";
import { makeKv } from "../src/kv/strategy_def.ts";
import { checkReference } from "../src/measure/run/reference_check.ts";
import { parseResult } from "../src/measure/record/result.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { HARDWARE_TUNING, SOFTWARE_TUNING } from "../src/model/tuning.ts";
import { ignore, RANDOM_SMALL, runDeno, WEIGHTS } from "./cli_support.ts";
import { attentionTrial, DECODE_SPANS, PREFILL_SPANS } from "../wgsl/ops/attention/trials.ts";
import { assertRight, gpuTest } from "./gpu_support.ts";
import { TOY_DILATED } from "./toy_dilated/dilated.ts";

register(TOY_DILATED);

gpuTest("Attention with a mask from outside src/ equals the reference", async (gpu) => {
  for (const tuning of [SOFTWARE_TUNING, HARDWARE_TUNING]) {
    for (const spans of [DECODE_SPANS, PREFILL_SPANS]) {
      const shape = { nHead: 2, headDim: 16, tuning, kind: "toy dilated", dtype: "f32" } as const;
      assertRight(await runTrial(gpu, attentionTrial({ ...shape, spans })));
    }
  }
});

Deno.test("A strategy that is not exact is registered with a reference alone", () => {
  const { reference: _, ...without } = TOY_DILATED;
  assert.throws(() => register({ ...without, name: "toy-unchecked" }), {
    name: UsageError.name,
    message: "Strategy toy-unchecked is not exact: expected a reference, which its logits are compared with",
  });
});

gpuTest(
  "A strategy is timed where it agrees with its reference, and refused where it does not",
  async (gpu) => {
    const cache = strategyNamed("kv-cache");
    register({
      ...TOY_DILATED,
      name: "toy-wrong",
      reference: (need) =>
        makeKv({ strategy: cache, options: { growth: "static", kv_capacity_tokens: null } }, need),
    });
    const opened = await locateModel(RANDOM_SMALL);
    const model = await Gpt2.load(gpu, opened);
    opened.close();
    const prompts = [[1, 2, 3, 4, 5], [6], [7, 8]], ids: number[][] = [];
    const decoding = { strategy: "toy-dilated", nSequences: 3, maxPromptTokens: 5, maxTokens: 12 };
    await withDecoder(model, decoding, async (decoder) => {
      decoder.begin(prompts);
      decoder.advance(4);
      ids.push(...await decoder.ids(prompts.map(({ length }) => length)));
    });
    await checkReference(model, decoding, { prompts, ids });
    await assert.rejects(checkReference(model, { ...decoding, strategy: "toy-wrong" }, { prompts, ids }), {
      name: KvbenchError.name,
      message:
        /^toy-wrong disagrees with its reference, kv-cache, so no time is reported: before new token 1 of/,
    });
    const others = ids.map(([first, ...later]) => [first === 0 ? 1 : 0, ...later]);
    await assert.rejects(
      checkReference(model, decoding, { prompts, ids: others }),
      /it chose 0, whose logit is/,
    );
    model.dispose();
  },
);

/** Runs kvbench with the toy. */
async function kvbench(args: readonly string[], folder: string): Promise<string> {
  const program = decodeURIComponent(new URL("toy_dilated/kvbench.ts", import.meta.url).pathname);
  const reads = [WEIGHTS, RANDOM_SMALL, folder].join(",");
  const flags = [`--allow-read=${reads}`, `--allow-write=${folder}`, "--allow-env"];
  const { code, stdout, stderr } = await runDeno([
    "run",
    "--no-prompt",
    "--cached-only",
    ...flags,
    program,
    ...args,
  ], {});
  assert.equal(code, 0, stderr);
  return stdout;
}

Deno.test("bench, report, generate and serve-sim know a strategy that is registered outside src/", {
  ignore,
}, async () => {
  const folder = await Deno.makeTempDir();
  try {
    const model = ["--model", RANDOM_SMALL, "--no-autotune"], json = `${folder}/result.json`;
    const sizes = ["--prompt-tokens", "30", "--new-tokens", "6", "--runs", "1", "--warmup", "0"];
    const own = ["--strategies", "kv-cache,toy-dilated", "--sweep", "dilation=1,3"];
    await kvbench(["bench", ...model, ...sizes, ...own, "--json", json], folder);
    const result = parseResult(JSON.parse(await Deno.readTextFile(json)), json);
    assert.deepEqual(
      result.cells.map((
        { strategy, settings },
      ) => [strategy, settings.dilation ?? null]),
      [["kv-cache", null], ["toy-dilated", 1], ["toy-dilated", 3]],
    );
    assert.deepEqual(result.cells[1]!.token_ids, result.cells[0]!.token_ids); // a dilation of 1 leaves nothing out
    const table = await kvbench(["report", json], folder);
    assert.match(table, /toy-dilated/);
    assert.match(await kvbench(["report", json, "--format", "csv"], folder), /,dilation,/);
    const generated = [
      "generate",
      ...model,
      "--prompt-ids",
      "1,2,3",
      "--strategy",
      "toy-dilated",
      "--output",
      "ids",
    ];
    assert.match(await kvbench([...generated, "--max-new-tokens", "5"], folder), /^\d+(,\d+){4}\n$/);
    const served = ["--policies", "paged,toy-dilated", "--requests", "4", "--lengths", "alpaca", "--verify"];
    assert.match(await kvbench(["serve-sim", ...model, ...served], folder), /toy-dilated/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
