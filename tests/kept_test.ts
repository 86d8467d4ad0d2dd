/**
 * The strategies that keep some tokens of each head: their logits, ids and kept positions are those of their definitions,
 * which PyTorch computed in float64, in batches and at odd sizes; and their memory is what they keep.
 */
import assert from "node:assert/strict";
import type { Decoder } from "../src/engine/decoder.ts";
import { type DecodingOptions, withDecoder } from "../src/engine/with_decoder.ts";
import { decodingNeed, totalOf } from "../src/engine/work_need.ts";
import type { KvDtype } from "../src/formats/kv_dtype.ts";
import { kvRowBytes } from "../src/kv/shape.ts";
import type { KvOptions } from "../src/kv/strategy_def.ts";
import { checkReference } from "../src/measure/run/reference_check.ts";
import { HARDWARE_TUNING } from "../src/model/tuning.ts";
import { ignore, inScratch, kvbench, RANDOM_SMALL, stdoutOf } from "./cli_support.ts";
import { gpuTest } from "./gpu_support.ts";
import { checkStrategyCase, goldenTests, openModel, type StrategyCase } from "./strategy_goldens.ts";

const OPTIONS: Readonly<Record<string, (item: StrategyCase) => KvOptions>> = {
  snapkv: ({ budget, observe, kernel }) => ({
    budget: Number(budget),
    observe: Number(observe),
    pool_kernel: Number(kernel),
  }),
  h2o: ({ heavy, recent }) => ({ heavy: Number(heavy), recent: Number(recent) }),
};

async function keptOf({ runner }: Decoder, sequence: number): Promise<number[][][]> {
  return await runner.around!.kept!(sequence);
}

for (const [strategy, optionsOf] of Object.entries(OPTIONS)) {
  goldenTests(
    strategy,
    `${strategy} computes what PyTorch says, and keeps the same`,
    async (model, item, logits) => {
      const { ids, greedy_ids: greedy } = item, kvOptions = optionsOf(item);
      for (const nSequences of item.rows === "each" ? [1, 3] : [3]) {
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

/** Prompts of several lengths, down to one token. */
const PROMPTS = [23, 1, 9].map((length, s) => Array.from({ length }, (_, i) => (7 * i + 31 * s) % 509));

/** A budget that is observed whole, prompts within the budget and within what is observed, wide averages, windows alone. */
const ODD: readonly (readonly [strategy: string, options: KvOptions, kvDtype: KvDtype])[] = [
  ["snapkv", { budget: 4, observe: 4, pool_kernel: 5 }, "f32"],
  ["snapkv", { budget: 9, observe: 2, pool_kernel: 31 }, "int8"],
  ["snapkv", { budget: 30, observe: 25, pool_kernel: 1 }, "f32"],
  ["snapkv", { budget: 1, observe: 1, pool_kernel: 1 }, "f16"],
  ["h2o", { heavy: 5, recent: 0 }, "f32"],
  ["h2o", { heavy: 0, recent: 5 }, "int8"],
  ["h2o", { heavy: 1, recent: 0 }, "f16"],
  ["h2o", { heavy: 30, recent: 12 }, "f32"],
  ["h2o", { heavy: 6, recent: 2 }, "int8/int4"],
  ["snapkv", { budget: 8, observe: 2, pool_kernel: 3 }, "int4"],
];

const ODD_IN = [["software", {}, ODD], [
  "hardware",
  { tuning: HARDWARE_TUNING },
  ODD.filter((_, i) => i % 4 === 2),
]] as const;
for (const [name, load, cases] of ODD_IN) {
  gpuTest(
    `Strategies that keep some tokens agree with a masked full computation at odd sizes (${name} tuning)`,
    async (gpu) => {
      const model = await openModel(gpu, RANDOM_SMALL, load);
      for (const [strategy, kvOptions, kvDtype] of cases) {
        const newTokens = name === "software" ? 20 : 6; // what computes hardware's variants in software is slow
        const sizes = { nSequences: PROMPTS.length, maxPromptTokens: 23, maxTokens: 23 + newTokens };
        const decoding: DecodingOptions = { strategy, kvOptions, kvDtype, ...sizes };
        const ids = await withDecoder(model, decoding, async (decoder) => {
          decoder.begin(PROMPTS);
          decoder.advance(newTokens);
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
  const model = await openModel(gpu, RANDOM_SMALL);
  for (const [strategy, kvOptions, kvDtype] of ODD.filter((_, i) => i % 4 === 0)) {
    const run = async (prompts: readonly number[][]) => {
      const sizes = { nSequences: prompts.length, maxPromptTokens: 23, maxTokens: 40 };
      return await withDecoder(model, { strategy, kvOptions, kvDtype, ...sizes }, async (decoder) => {
        decoder.begin(prompts);
        decoder.advance(17);
        const ids = await decoder.ids(prompts.map(({ length }) => length));
        return await Promise.all(
          ids.map(async (own, sequence) => ({ ids: own, kept: await keptOf(decoder, sequence) })),
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

gpuTest("A prompt that comes in parts before the first step is one prompt", async (gpu) => {
  const model = await openModel(gpu, RANDOM_SMALL), [whole] = PROMPTS as [number[]];
  const strategy = "h2o", kvOptions = { heavy: 4, recent: 3 };
  const sizes = { nSequences: 1, maxPromptTokens: 23, maxTokens: 40 };
  await withDecoder(model, { strategy, kvOptions, ...sizes }, async (decoder) => {
    const runs: unknown[] = [];
    for (const parts of [[whole], [whole.slice(0, 10), whole.slice(10, 12), whole.slice(12)]]) {
      decoder.begin([parts[0]!]);
      for (const part of parts.slice(1)) decoder.append([part]);
      decoder.advance(9);
      runs.push([await decoder.ids(0), await keptOf(decoder, 0)]);
    }
    assert.deepEqual(runs[1], runs[0]);
    // Later parts are new tokens, which are computed one by one.
    decoder.append([[5, 6, 7]]);
    decoder.advance(1);
    const [ids] = await decoder.ids(0), kept = await keptOf(decoder, 0);
    decoder.begin([whole]);
    await decoder.logits();
    for (const id of ids!.slice(23, -1)) {
      decoder.append([[id]]);
      await decoder.logits();
    }
    assert.deepEqual(await keptOf(decoder, 0), kept);
  });
  model.dispose();
}, { needs: ["read"] });

gpuTest(
  "What is dropped of a prompt is given back: the ledger holds what stays, and room for new tokens",
  async (gpu) => {
    const model = await openModel(gpu, "tiny"), { config: { nHead, nLayer }, dims: { a4 } } = model;
    const prompt = Array.from({ length: 300 }, (_, i) => 5 * i), newTokens = 10;
    const cases = [
      ["snapkv", { budget: 64, observe: 16, pool_kernel: 5 }, 64, newTokens],
      ["h2o", { heavy: 40, recent: 30 }, 70, 1],
    ] as const;
    for (const [dtype, nSequences] of [["f32", 1], ["int8", 2]] as const) {
      for (const [strategy, kvOptions, kept, more] of cases) {
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
    model.dispose();
  },
  { needs: ["read"] },
);

gpuTest(
  "A decoder that keeps some tokens takes what is said before, and at most a tenth less",
  async (gpu) => {
    const model = await openModel(gpu, "tiny"), { config, tuning } = model;
    const prompt = Array.from({ length: 300 }, (_, i) => 5 * i), { limits } = gpu.device;
    for (
      const [strategy, kvOptions] of [["snapkv", { budget: 64 }], ["h2o", { heavy: 90, recent: 10 }]] as const
    ) {
      for (const [kvDtype, nSequences] of [["f32", 1], ["int8", 3]] as const) {
        const sizes = { nSequences, maxPromptTokens: 300, maxTokens: 320 };
        const decoding: DecodingOptions = { strategy, kvOptions, kvDtype, ...sizes };
        const before = gpu.ledger.current.total;
        gpu.ledger.resetPeak();
        await withDecoder(model, decoding, async (decoder) => {
          decoder.begin(Array(nSequences).fill(prompt));
          decoder.advance(20);
          await decoder.ids(300);
          await decoder.logits();
        });
        const need = decodingNeed({ config, tuning, limits }, decoding),
          said = totalOf(need) - need.hostBytes;
        const ratio = said / (gpu.ledger.peak.total - before);
        assert.ok(ratio >= 1 && ratio <= 1.1, `${strategy}, ${kvDtype}: a ratio of ${ratio}`);
      }
    }
    model.dispose();
  },
  { needs: ["read"] },
);

const MODEL = ["--model", RANDOM_SMALL, "--no-autotune"];
const IDS = Array.from({ length: 30 }, (_, i) => 7 * i);

Deno.test("logits --kept writes the positions that each layer and head keeps, of prompts of any length", {
  ignore,
}, async () => {
  await inScratch(async (folder) => {
    const files = ["-o", `${folder}/l.f32`, "--kept", `${folder}/kept.json`];
    const rights = { read: [RANDOM_SMALL, folder], write: folder };
    const ids = Array.from({ length: 40 }, (_, i) => 3 * i).join(",");
    const own = ["--strategy", "h2o", "--heavy", "4", "--recent", "2"];
    await stdoutOf(["logits", ...MODEL, "--prompt-ids", ids, "--all", ...own, ...files], rights);
    const kept: number[][][] = JSON.parse(await Deno.readTextFile(`${folder}/kept.json`));
    assert.deepEqual(kept.map((heads) => heads.map(({ length }) => length)), Array(3).fill(Array(5).fill(6)));
    assert.ok(kept.flat().every((positions) => positions.slice(-2).join() === "38,39"));
    assert.equal((await Deno.stat(`${folder}/l.f32`)).size, 40 * 509 * 4);
  });
});

/** Commands that are refused, and the error of each. */
const REFUSED: readonly (readonly [args: readonly string[], error: RegExp])[] = [
  [
    ["generate", "--strategy", "h2o", "--heavy", "0", "--recent", "0"],
    /h2o keeps no token: expected --heavy/,
  ],
  [["generate", "--strategy", "snapkv", "--budget", "4"], /snapkv observes 32 tokens and keeps 4: expected/],
  [["generate", "--strategy", "snapkv", "--pool-kernel", "4"], /--pool-kernel is 4: expected an odd number/],
  [
    ["generate", "--strategy", "h2o", "--num-beams", "2"],
    /h2o cannot fork sequences, since it chooses tokens of whole prompts/,
  ],
  [
    ["logits", "-o", "l.f32", "--kept", "kept.json"],
    /kv-cache keeps the same tokens for every head: expected/,
  ],
];

Deno.test("What cannot be kept, forked or served is refused in one line", { ignore }, async () => {
  for (const [[command, ...args], error] of REFUSED) {
    const output = command === "generate" ? ["--output", "ids", "--max-new-tokens", "3"] : [];
    const all = [command!, ...MODEL, "--prompt-ids", IDS.join(","), ...output, ...args];
    const { code, stderr } = await kvbench(all, { flags: [`--allow-read=${RANDOM_SMALL}`] });
    assert.equal(code, 2, stderr);
    assert.match(stderr, error);
  }
  for (const args of [["serve", "--policy", "snapkv"], ["serve-sim", "--policies", "paged,h2o"]]) {
    const { code, stderr } = await kvbench(args);
    assert.equal(code, 2);
    assert.match(stderr, /is (?:not valid|unknown): expected no-cache/);
  }
});
