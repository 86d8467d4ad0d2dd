/**
 * A strategy that is registered from outside `src/` takes part in everything: its logits are those of its definition,
 * computed by PyTorch in float64 (`golden/README.md`), its kernels are checked, and the commands know it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { SOFTWARE_TOLERANCE } from "../src/check/golden.ts";
import { runTrial } from "../src/check/run_trial.ts";
import { beamSearch } from "../src/engine/beam_search.ts";
import { sampleParallel } from "../src/engine/sample_parallel.ts";
import { openDecoder, withDecoder } from "../src/engine/with_decoder.ts";
import { locateModel } from "../src/hub/locate.ts";
import { register } from "../src/kv/registry.ts";
import { parseResult } from "../src/measure/record/result.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { GREEDY } from "../src/model/sampling.ts";
import { HARDWARE_TUNING, SOFTWARE_TUNING } from "../src/model/tuning.ts";
import { ignore, RANDOM_SMALL, runDeno, WEIGHTS } from "./cli_support.ts";
import { attentionTrial, DECODE_SPANS, PREFILL_SPANS } from "../wgsl/ops/attention/trials.ts";
import { kvWriteTrial } from "../wgsl/ops/kv_write/operator.ts";
import { assertClose, assertRight, gpuTest } from "./gpu_support.ts";
import { TOY_WINDOW } from "./toy_window/window.ts";

register(TOY_WINDOW);

interface WindowCase {
  readonly name: string;
  readonly ids: readonly number[];
  readonly sinks: number;
  readonly window: number;
  readonly greedy_ids: readonly number[];
  readonly rows: "each" | "first and last";
  readonly logits_file: string;
}

function golden(path: string): URL {
  return new URL(`golden/${path}`, import.meta.url);
}

async function checkCase(model: Gpt2, folder: string, item: WindowCase): Promise<void> {
  const { name, ids, sinks, window, greedy_ids: greedy, rows } = item;
  const expected = new Float32Array((await Deno.readFile(golden(`${folder}/${item.logits_file}`))).buffer);
  const { vocabSize } = model.config;
  const options = {
    strategy: "toy-window",
    kvOptions: { sinks, window },
    nSequences: 1,
    maxPromptTokens: ids.length,
    maxTokens: ids.length + greedy.length,
  };
  await withDecoder(model, options, async (decoder) => {
    decoder.begin([ids]);
    for (const token of greedy.keys()) {
      const [logits] = await decoder.logits();
      const row = rows === "each" ? token : [0, greedy.length - 1].indexOf(token);
      if (row >= 0) {
        assertClose(logits!, expected.subarray(row * vocabSize, (row + 1) * vocabSize), {
          tolerance: SOFTWARE_TOLERANCE,
          name: `${name}, before new token ${token + 1}`,
        });
      }
      if (token < greedy.length - 1) decoder.append([[greedy[token]!]]);
    }
    decoder.begin([ids]);
    decoder.advance(greedy.length);
    assert.deepEqual(await decoder.ids(ids.length), [greedy], name);
    const { stored } = decoder.runner.policy.usage();
    assert.equal(stored, Math.min(ids.length + greedy.length - 1, sinks + window + 7));
  });
}

for (
  const [folder, checkpoint] of [["strategies-random-small", RANDOM_SMALL], [
    "strategies-tiny",
    "tiny",
  ]] as const
) {
  gpuTest(`A window that is registered outside src/ computes what PyTorch says (${folder})`, async (gpu) => {
    const opened = await locateModel(checkpoint);
    const model = await Gpt2.load(gpu, opened);
    opened.close();
    const cases: WindowCase[] = JSON.parse(await Deno.readTextFile(golden(`${folder}/cases.json`)));
    for (const item of cases) await checkCase(model, folder, item);
    model.dispose();
  });
}

gpuTest(
  "Attention over a window's entries equals the reference, and tokens are stored in their entries",
  async (gpu) => {
    for (const tuning of [SOFTWARE_TUNING, HARDWARE_TUNING]) {
      const shape = { nHead: 2, headDim: 16, tuning, kind: "toy window" };
      for (const spans of [DECODE_SPANS, PREFILL_SPANS]) {
        assertRight(await runTrial(gpu, attentionTrial({ ...shape, dtype: "f32", spans })));
      }
      assertRight(await runTrial(gpu, kvWriteTrial({ ...shape, dtype: "int8" })));
    }
  },
);

gpuTest("Samples and beams over a window are those of one sequence alone", async (gpu) => {
  const opened = await locateModel(RANDOM_SMALL);
  const model = await Gpt2.load(gpu, opened);
  opened.close();
  const ids = Array.from({ length: 20 }, (_, i) => 3 * i), kvOptions = { sinks: 2, window: 6 };
  const strategy = { strategy: "toy-window", kvOptions, kvDtype: "f32" } as const;
  const decoder = await openDecoder(model, {
    ...strategy,
    nSequences: 1,
    maxPromptTokens: 20,
    maxTokens: 30,
  });
  const samplings = [GREEDY, { ...GREEDY, temperature: 1, seed: 5 }];
  const alone: number[][] = [];
  for (const sampling of samplings) {
    decoder.begin([ids], [sampling]);
    decoder.advance(10);
    alone.push(...await decoder.ids(20));
  }
  decoder.dispose();
  const sampled: number[][] = [[], []];
  const onToken = (index: number, id: number) => sampled[index]!.push(id) > 0;
  await sampleParallel(model, { ...strategy, ids, newTokens: 10, samplings, onToken });
  assert.deepEqual(sampled, alone);
  const search = {
    nBeams: 1,
    newTokens: 10,
    lengthPenalty: 1,
    earlyStopping: "true",
    eos: undefined,
  } as const;
  const { hypotheses } = await beamSearch(model, ids, { ...strategy, ...search });
  assert.deepEqual(hypotheses[0]!.ids, alone[0]);
  model.dispose();
});

/** Runs kvbench with the toy window. */
async function kvbench(args: readonly string[], folder: string): Promise<string> {
  const program = decodeURIComponent(new URL("toy_window/kvbench.ts", import.meta.url).pathname);
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

Deno.test("bench, report, generate, serve-sim and selftest know a strategy that is registered outside src/", {
  ignore,
}, async () => {
  const folder = await Deno.makeTempDir();
  try {
    const model = ["--model", RANDOM_SMALL, "--no-autotune"], json = `${folder}/result.json`;
    const sizes = ["--prompt-tokens", "30", "--new-tokens", "6", "--runs", "1", "--warmup", "0"];
    const own = ["--strategies", "kv-cache,toy-window", "--sinks", "2", "--sweep", "window=4,9"];
    await kvbench(["bench", ...model, ...sizes, ...own, "--json", json], folder);
    const result = parseResult(JSON.parse(await Deno.readTextFile(json)), json);
    assert.deepEqual(
      result.cells.map((
        { strategy, settings, memory },
      ) => [strategy, settings.window ?? null, memory.kv_tokens]),
      [["kv-cache", null, 35], ["toy-window", 4, 2 + 4 + 7], ["toy-window", 9, 2 + 9 + 7]],
    );
    const table = await kvbench(["report", json], folder);
    assert.match(table, /toy-window/);
    assert.match(await kvbench(["report", json, "--format", "csv"], folder), /,window,/);
    const generated = [
      "generate",
      ...model,
      "--prompt-ids",
      "1,2,3",
      "--strategy",
      "toy-window",
      "--output",
      "ids",
    ];
    assert.match(await kvbench([...generated, "--max-new-tokens", "5"], folder), /^\d+(,\d+){4}\n$/);
    const served = ["--policies", "paged,toy-window", "--requests", "4", "--lengths", "alpaca", "--verify"];
    assert.match(await kvbench(["serve-sim", ...model, ...served], folder), /toy-window/);
    const checked = JSON.parse(await kvbench(["selftest", "--json"], folder));
    assert.ok(JSON.stringify(checked).includes("toy window"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
