/**
 * The strategy `window`: its memory does not grow, its kernels are right, and samples, beams and a server take it.
 * (`window_goldens_test.ts` has its logits and ids.)
 */
import assert from "node:assert/strict";
import { loadGpt2Tokenizer } from "../src/checkpoint/gpt2_tokenizer.ts";
import { runTrial } from "../src/check/run_trial.ts";
import { beamSearch } from "../src/engine/beam_search.ts";
import { sampleParallel } from "../src/engine/sample_parallel.ts";
import { openDecoder, withDecoder } from "../src/engine/with_decoder.ts";
import { GREEDY } from "../src/model/sampling.ts";
import { HARDWARE_TUNING, SOFTWARE_TUNING } from "../src/model/tuning.ts";
import { attentionTrial, DECODE_SPANS, PREFILL_SPANS } from "../wgsl/ops/attention/trials.ts";
import { kvWriteTrial } from "../wgsl/ops/kv_write/operator.ts";
import { ignore, kvbench, RANDOM_SMALL, WEIGHTS } from "./cli_support.ts";
import { assertRight, gpuTest } from "./gpu_support.ts";
import { openModel, type StrategyCase } from "./strategy_goldens.ts";

gpuTest("A window of 4 + 252 holds 256 tokens at 1,000, and room for a step's others", async (gpu) => {
  const model = await openModel(gpu, "tiny");
  const tokenBytes = model.config.nLayer * 2 * model.config.nEmbd * 4;
  const prompt = Array.from({ length: 999 }, (_, i) => i);
  for (const [nSequences, window_chunk] of [[1, 16], [1, 1], [3, 16]] as const) {
    const options = { strategy: "window", kvOptions: { window_chunk } };
    const sizes = { nSequences, maxPromptTokens: 999, maxTokens: 1001 };
    await withDecoder(model, { ...options, ...sizes }, (decoder) => {
      const held = nSequences * (256 + window_chunk - 1) * tokenBytes;
      assert.equal(gpu.ledger.current.kv, held);
      assert.equal(decoder.runner.pool.allocatedBytes, held);
      if (nSequences === 1) {
        decoder.begin([prompt]);
        decoder.advance(window_chunk === 1 ? 0 : 2);
        const { stored, capacity, free } = decoder.runner.policy.usage();
        if (window_chunk !== 1) assert.equal(stored, 256);
        assert.equal((capacity - free) * tokenBytes, held);
      }
      return Promise.resolve();
    });
  }
  model.dispose();
});

gpuTest(
  "Attention over a window's entries equals the reference, and tokens are stored in them",
  async (gpu) => {
    for (const tuning of [SOFTWARE_TUNING, HARDWARE_TUNING]) {
      for (const kind of ["window", "window's mask"]) {
        const shape = { nHead: 2, headDim: 16, tuning, kind };
        for (const spans of [DECODE_SPANS, PREFILL_SPANS]) {
          assertRight(await runTrial(gpu, attentionTrial({ ...shape, dtype: "f32", spans })));
        }
        assertRight(await runTrial(gpu, kvWriteTrial({ ...shape, dtype: "int8" })));
      }
    }
  },
);

gpuTest("Samples and beams over a window are those of one sequence alone", async (gpu) => {
  const model = await openModel(gpu, RANDOM_SMALL);
  const ids = Array.from({ length: 20 }, (_, i) => 3 * i);
  const kvOptions = { sinks: 2, window: 6, window_chunk: 4 };
  const strategy = { strategy: "window", kvOptions, kvDtype: "f32" } as const;
  const decoder = await openDecoder(model, {
    ...strategy,
    ...{ nSequences: 1, maxPromptTokens: 20, maxTokens: 30 },
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

Deno.test("A window serves what it computes, to several continuations and with a step for many tokens", {
  ignore: ignore || Deno.build.os === "windows",
}, async () => {
  const text = await Deno.readTextFile(new URL("golden/strategies-tiny/cases.json", import.meta.url));
  const cases: StrategyCase[] = JSON.parse(text);
  const { ids, greedy_ids } = cases.find(({ name }) => name === "window-4-28")!;
  const expected = (await loadGpt2Tokenizer()).decode(greedy_ids);
  const whenReady = async (line: string) => {
    const [baseURL] = /http:\/\/\S+\/v1/.exec(line)!;
    const body = { model: "tiny", prompt: ids, max_tokens: greedy_ids.length, temperature: 0, n: 2 };
    const answer = await fetch(`${baseURL}/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const { choices } = await answer.json();
    assert.deepEqual(choices.map(({ text }: { text: string }) => text), [expected, expected]);
  };
  const options = ["--policy", "window", "--sinks", "4", "--window", "28", "--port", "0", "--no-autotune"];
  const { code, stderr } = await kvbench(["serve", ...options], {
    flags: [`--allow-read=${WEIGHTS}`, "--allow-net=127.0.0.1"],
    whenReady,
  });
  assert.equal(code, 0, stderr);
});

Deno.test("A window goes no further than the positions that the model has learned", { ignore }, async () => {
  const chosen = ["--strategy", "window", "--prompt-ids", "1,2,3", "--max-new-tokens", "1024"];
  const { code, stderr } = await kvbench(["generate", "--model", "tiny", ...chosen]);
  assert.equal(code, 2);
  assert.match(stderr, /make 1027: the model's context is 1024 tokens, the positions that it has learned/);
});
