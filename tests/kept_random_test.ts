/**
 * Strategies that keep some tokens of each head, over long prompts of random tokens: they keep what GPT-2 in float64 says,
 * and their reference computes the same. A lane that went through such a prompt alone would not come to its end on
 * software adapters, which end its loops.
 */
import assert from "node:assert/strict";
import { withDecoder } from "../src/engine/with_decoder.ts";
import { tensorShapes } from "../src/checkpoint/tensors.ts";
import { locateModel } from "../src/hub/locate.ts";
import type { KeptRule } from "../src/kv/kept/rule.ts";
import type { KvOptions } from "../src/kv/strategy_def.ts";
import { madeUpPrompt } from "../src/measure/run/grid.ts";
import { checkReference } from "../src/measure/run/reference_check.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { promptAveragesCpu, promptChoiceCpu, promptScoresCpu } from "../wgsl/ops/kept/reference.ts";
import { blocksCpu } from "./fixtures/gpt2_cpu.ts";
import { gpuTest } from "./gpu_support.ts";

/** Averages that are so close are in the order of their rounding. */
const TIE = 1e-6;

interface Case {
  readonly strategy: string;
  readonly kvOptions: KvOptions;
  readonly rule: KeptRule;
}

function snapkv(budget: number): Case {
  return {
    strategy: "snapkv",
    kvOptions: { budget, observe: 32, pool_kernel: 5 },
    rule: { recent: 32, heavy: budget - 32, observed: 32, pool: 5, everyStep: false },
  };
}

function h2o(heavy: number): Case {
  return {
    strategy: "h2o",
    kvOptions: { heavy, recent: 16 },
    rule: { recent: 16, heavy, observed: Infinity, pool: 1, everyStep: true },
  };
}

const CASES: readonly (readonly [promptTokens: number, cases: readonly Case[]])[] = [
  [496, [snapkv(64), snapkv(128)]],
  [240, [h2o(16), h2o(48)]],
];

/** Scores of a prompt's tokens, by layer and head. */
async function scoresOf(ids: readonly number[]): Promise<(observed: number) => number[][][]> {
  const opened = await locateModel("tiny"), { config } = opened, { nHead, headDim } = config;
  const tensors = new Map<string, Float32Array<ArrayBuffer>>();
  for (const name of tensorShapes(config).keys()) tensors.set(name, await opened.read(name));
  opened.close();
  const layers: Float64Array[] = [];
  blocksCpu(config, tensors, ids, { see: (qkv) => layers.push(qkv) });
  const part = (qkv: Float64Array, part: number, head: number) =>
    ids.map((_, row) => {
      const at = ((row * 3 + part) * nHead + head) * headDim;
      return qkv.subarray(at, at + headDim);
    });
  return (observed) =>
    layers.map((qkv) =>
      Array.from(
        { length: nHead },
        (_, head) => promptScoresCpu(part(qkv, 0, head), part(qkv, 1, head), observed),
      )
    );
}

/** Checks that what stays is the best, where rounding does not decide. */
function assertBest(kept: readonly number[], scores: readonly number[], rule: KeptRule, at: string): void {
  const best = promptChoiceCpu(scores, rule), averages = promptAveragesCpu(scores, rule);
  assert.equal(new Set(kept).size, best.length, at);
  const lost = best.filter((position) => !kept.includes(position));
  const taken = kept.filter((position) => !best.includes(position));
  for (const one of lost) {
    for (const other of taken) {
      const gap = averages[one]! - averages[other]!; // NaN where one of the last left
      assert.ok(gap < TIE, `${at}: ${other} stays for ${one}, which is ${gap} above it`);
    }
  }
}

for (const [promptTokens, cases] of CASES) {
  gpuTest(
    `Of ${promptTokens} random tokens ${
      cases[0]!.strategy
    } keeps what float64 says, and so does its reference`,
    async (gpu) => {
      const opened = await locateModel("tiny"), model = await Gpt2.load(gpu, opened);
      opened.close();
      const ids = madeUpPrompt(promptTokens, model.config.vocabSize, 1), scores = await scoresOf(ids);
      for (const { strategy, kvOptions, rule } of cases) {
        const decoding = {
          ...{ strategy, kvOptions, nSequences: 1 },
          ...{ maxPromptTokens: promptTokens, maxTokens: promptTokens + 4 },
        };
        const found = await withDecoder(model, decoding, async (decoder) => {
          decoder.begin([ids]);
          decoder.advance(1);
          const kept = await decoder.runner.around!.kept!(0);
          scores(rule.observed).forEach((heads, layer) =>
            heads.forEach((own, head) =>
              assertBest(kept[layer]![head]!, own, rule, `${JSON.stringify(kvOptions)}, ${layer}, ${head}`)
            )
          );
          decoder.advance(3);
          return await decoder.ids([promptTokens]);
        });
        await checkReference(model, decoding, { prompts: [ids], ids: found });
      }
      model.dispose();
    },
    { needs: ["read"] },
  );
}
