/**
 * The strategies that keep some tokens of each head: their logits, ids and kept positions are those of their definitions,
 * which PyTorch computed in float64, in batches and at odd sizes; and their memory is what they keep.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Decoder } from "../src/engine/decoder.ts";
import { type DecodingOptions, withDecoder } from "../src/engine/with_decoder.ts";
import type { Gpu } from "../src/gpu/gpu.ts";
import { locateModel } from "../src/hub/locate.ts";
import { kvRowBytes } from "../src/kv/shape.ts";
import type { KvOptions } from "../src/kv/strategy_def.ts";
import { checkReference } from "../src/measure/run/reference_check.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { HARDWARE_TUNING } from "../src/model/tuning.ts";
import { RANDOM_SMALL } from "./cli_support.ts";
import { gpuTest } from "./gpu_support.ts";
import { checkStrategyCase, goldenTests, type StrategyCase } from "./strategy_goldens.ts";

const OPTIONS: Readonly<Record<string, (item: StrategyCase) => KvOptions>> = {
  snapkv: ({ budget, observe, kernel }) => ({
    budget: Number(budget),
    observe: Number(observe),
    pool_kernel: Number(kernel),
  }),
  h2o: ({ heavy, recent }) => ({ heavy: Number(heavy), recent: Number(recent) }),
};

async function keptOf({ runner }: Decoder, slot: number): Promise<number[][][]> {
  return await runner.around!.kept!(slot);
}

for (const [strategy, optionsOf] of Object.entries(OPTIONS)) {
  goldenTests(
    strategy,
    `${strategy} computes what PyTorch says, and keeps the same`,
    async (model, item, logits) => {
      const { ids, greedy_ids: greedy } = item, kvOptions = optionsOf(item);
      for (const nSequences of [1, 3]) {
        await checkStrategyCase(model, item, logits, { kvOptions, nSequences });
        const sizes = { nSequences, maxPromptTokens: ids.length, maxTokens: ids.length + greedy.length };
        await withDecoder(model, { strategy, kvOptions, ...sizes }, async (decoder) => {
          decoder.begin(Array(nSequences).fill(ids));
          decoder.advance(1);
          assert.deepEqual(
            await keptOf(decoder, nSequences - 1),
            item.kept_after_prompt,
            `${item.name}, prompt`,
          );
          decoder.advance(greedy.length - 1);
          assert.deepEqual(await keptOf(decoder, nSequences - 1), item.kept_at_end, `${item.name}, end`);
        });
      }
    },
  );
}

async function open(gpu: Gpu, name: string, options: Parameters<typeof Gpt2.load>[2] = {}): Promise<Gpt2> {
  const opened = await locateModel(name);
  const model = await Gpt2.load(gpu, opened, options);
  opened.close();
  return model;
}

/** Prompts of several lengths, down to one token. */
const PROMPTS = [23, 1, 9].map((length, s) => Array.from({ length }, (_, i) => (7 * i + 31 * s) % 509));

/** A budget that is observed whole, prompts within the budget and within what is observed, wide averages, windows alone. */
const ODD: readonly (readonly [strategy: string, options: KvOptions, kvDtype: "f32" | "f16" | "int8"])[] = [
  ["snapkv", { budget: 4, observe: 4, pool_kernel: 5 }, "f32"],
  ["snapkv", { budget: 9, observe: 2, pool_kernel: 31 }, "f32"],
  ["snapkv", { budget: 30, observe: 25, pool_kernel: 1 }, "f32"],
  ["snapkv", { budget: 1, observe: 1, pool_kernel: 1 }, "f16"],
  ["snapkv", { budget: 7, observe: 3, pool_kernel: 3 }, "int8"],
  ["h2o", { heavy: 5, recent: 0 }, "f32"],
  ["h2o", { heavy: 0, recent: 5 }, "f32"],
  ["h2o", { heavy: 1, recent: 0 }, "f32"],
  ["h2o", { heavy: 30, recent: 12 }, "f32"],
  ["h2o", { heavy: 4, recent: 3 }, "f16"],
  ["h2o", { heavy: 3, recent: 4 }, "int8"],
];

for (const [name, load] of [["software", {}], ["hardware", { tuning: HARDWARE_TUNING }]] as const) {
  gpuTest(
    `Strategies that keep some tokens agree with a masked full computation at odd sizes (${name} tuning)`,
    async (gpu) => {
      const model = await open(gpu, RANDOM_SMALL, load);
      for (const [strategy, kvOptions, kvDtype] of ODD) {
        const sizes = { nSequences: PROMPTS.length, maxPromptTokens: 23, maxTokens: 43 };
        const decoding: DecodingOptions = { strategy, kvOptions, kvDtype, ...sizes };
        const ids = await withDecoder(model, decoding, async (decoder) => {
          decoder.begin(PROMPTS);
          decoder.advance(20);
          return await decoder.ids(PROMPTS.map(({ length }) => length));
        });
        await checkReference(model, decoding, { prompts: PROMPTS, ids });
      }
      model.dispose();
    },
    { needs: ["read"] },
  );
}

gpuTest("A sequence keeps alone what it keeps beside others", async (gpu) => {
  const model = await open(gpu, RANDOM_SMALL);
  for (const [strategy, kvOptions, kvDtype] of ODD.filter((_, i) => i % 4 === 0)) {
    const run = async (prompts: readonly number[][]) => {
      const sizes = { nSequences: prompts.length, maxPromptTokens: 23, maxTokens: 40 };
      return await withDecoder(model, { strategy, kvOptions, kvDtype, ...sizes }, async (decoder) => {
        decoder.begin(prompts);
        decoder.advance(17);
        const ids = await decoder.ids(prompts.map(({ length }) => length));
        return await Promise.all(
          ids.map(async (own, slot) => ({ ids: own, kept: await keptOf(decoder, slot) })),
        );
      });
    };
    const together = await run(PROMPTS);
    for (const [s, prompt] of PROMPTS.entries()) {
      assert.deepEqual(together[s], (await run([prompt]))[0], JSON.stringify([strategy, kvOptions]));
    }
  }
  model.dispose();
}, { needs: ["read"] });

gpuTest(
  "What is dropped of a prompt is given back: the ledger holds what stays, and room for new tokens",
  async (gpu) => {
    const model = await open(gpu, "tiny"), { config: { nHead, nLayer }, dims: { a4 } } = model;
    const prompt = Array.from({ length: 300 }, (_, i) => 5 * i), newTokens = 10;
    const cases = [
      ["snapkv", { budget: 64, observe: 16, pool_kernel: 5 }, 64, newTokens],
      ["h2o", { heavy: 40, recent: 30 }, 70, 1],
    ] as const;
    for (const dtype of ["f32", "f16", "int8"] as const) {
      for (const [strategy, kvOptions, kept, more] of cases) {
        for (const nSequences of [1, 2]) {
          const row = kvRowBytes({ nHead, a4, dtype }),
            sizes = { maxPromptTokens: 300, maxTokens: 300 + newTokens };
          await withDecoder(
            model,
            { strategy, kvOptions, kvDtype: dtype, nSequences, ...sizes },
            (decoder) => {
              const { peak } = gpu.ledger, prompts = Array(nSequences).fill(prompt);
              assert.equal(gpu.ledger.current.kv, 0);
              decoder.begin(prompts);
              decoder.advance(1);
              const held = nSequences * nLayer * (kept + more) * row;
              assert.equal(gpu.ledger.current.kv, held);
              assert.ok(gpu.ledger.peak.kv <= Math.max(peak.kv, held + nSequences * 300 * row));
              assert.equal(decoder.runner.policy.usage().stored, nSequences * kept);
              decoder.advance(newTokens - 1);
              assert.equal(gpu.ledger.current.kv, held);
              const stored = kept + (strategy === "h2o" ? 0 : newTokens - 1);
              assert.equal(decoder.runner.policy.usage().stored, nSequences * stored);
              decoder.runner.policy.verify();
              decoder.reset();
              assert.equal(gpu.ledger.current.kv, 0);
              return Promise.resolve();
            },
          );
        }
      }
    }
    model.dispose();
  },
  { needs: ["read"] },
);
