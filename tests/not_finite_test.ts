/**
 * Finite weights that overflow are a failure that names the first layer where infinity or NaN appears, in every way of
 * decoding; what is only large is none.
 */
import assert from "node:assert/strict";
import { beamSearch } from "../src/engine/beam_search.ts";
import { generate } from "../src/engine/generate.ts";
import { sampleParallel } from "../src/engine/sample_parallel.ts";
import { NotFiniteError } from "../src/base/errors.ts";
import type { Gpu } from "../src/gpu/gpu.ts";
import type { Dtype } from "../src/formats/registry.ts";
import { memorySource } from "../src/checkpoint/byte_source.ts";
import { openCheckpoint } from "../src/checkpoint/checkpoint.ts";
import { tensorShapes } from "../src/checkpoint/tensors.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { GREEDY } from "../src/model/sampling.ts";
import { HARDWARE_TUNING, SOFTWARE_TUNING, type Tuning } from "../src/model/tuning.ts";
import { ignore, inScratch, kvbench, namesIn } from "./cli_support.ts";
import { DYNAMIC, NO_CACHE, paged, STATIC, withDecoder } from "./decode_support.ts";
import {
  AWKWARD,
  type ConfigKeys,
  randomCheckpoint,
  safetensors,
  type Tensors,
} from "./fixtures/checkpoint.ts";
import { gpuTest } from "./gpu_support.ts";
import { eventsOf, idsAlone, idsOf, PROMPT, serveModel, whole } from "./serve_support.ts";

const UNTIED: ConfigKeys = { ...AWKWARD, tie_word_embeddings: false };
/** Finite, and twice as much is not. */
const HUGE = 3e38;
/** Large enough that a query times a key is not finite, and small enough that everything before is. */
const LARGE = 1e25;

type Change = (values: Float32Array<ArrayBuffer>) => Float32Array<ArrayBuffer>;
const to = (value: number): Change => (values) => values.fill(value);

/** A checkpoint's files, with some tensors changed. */
async function filesWith(changes: Readonly<Record<string, Change>>, keys = UNTIED) {
  const json = { model_type: "gpt2", bos_token_id: 0, eos_token_id: 0, ...keys };
  const { checkpoint, config, tensors } = await randomCheckpoint(keys);
  checkpoint.close();
  const changed: Tensors = new Map(
    [...tensors].map(([name, values]) => [name, changes[name]?.(values.slice()) ?? values]),
  );
  for (const name of Object.keys(changes)) assert.ok(changed.has(name), name);
  for (const values of changed.values()) assert.ok(values.every(Number.isFinite));
  return { configJson: JSON.stringify(json), weights: safetensors(changed, tensorShapes(config)) };
}

/** Loads a model with changed tensors, runs `body`, and frees it whatever happens. */
async function withChanged(
  gpu: Gpu,
  changes: Readonly<Record<string, Change>>,
  body: (model: Gpt2) => Promise<void>,
  tuning: Tuning = SOFTWARE_TUNING,
): Promise<void> {
  const { configJson, weights } = await filesWith(changes);
  const checkpoint = await openCheckpoint({
    name: "changed",
    configJson,
    configName: "config.json",
    weights: [{ bytes: memorySource(weights), name: "model.safetensors" }],
  });
  const model = await Gpt2.load(gpu, checkpoint, { tuning });
  checkpoint.close();
  try {
    await body(model);
  } finally {
    model.dispose();
  }
}

/** Checks an error's type, and its text but for the value, which may be infinity or NaN. */
function isNotFinite(token: number, where: string) {
  return (error: unknown) => {
    assert.ok(error instanceof NotFiniteError, String(error));
    const pattern =
      `^The logits after token ${token} are not finite: expected numbers, and (-?Infinity|NaN) appears ` +
      `first in ${where}; check the weights and, with kvbench selftest, the adapter$`;
    assert.match(error.message, new RegExp(pattern));
    return true;
  };
}

/** By what overflows: the weights that make it so, and how the message names it. */
const OVERFLOWS: readonly (readonly [string, Readonly<Record<string, Change>>])[] = [
  ["wte \\+ wpe", { "wte.weight": to(HUGE), "wpe.weight": to(HUGE) }],
  ["layer 0, h\\.0\\.ln_1", { "h.0.ln_1.weight": to(HUGE), "h.0.ln_1.bias": to(HUGE) }],
  ["layer 1, h\\.1\\.attn\\.c_attn", {
    "h.1.attn.c_attn.bias": to(HUGE),
    "h.1.attn.c_attn.weight": to(HUGE),
  }],
  ["layer 1, h\\.1\\.attn", { "h.1.attn.c_attn.weight": to(LARGE) }],
  ["layer 2, h\\.2\\.attn\\.c_proj", {
    "h.2.attn.c_proj.bias": to(HUGE),
    "h.2.attn.c_proj.weight": to(HUGE),
  }],
  ["layer 1, h\\.1\\.ln_2", { "h.1.ln_2.weight": to(HUGE), "h.1.ln_2.bias": to(HUGE) }],
  ["layer 0, h\\.0\\.mlp\\.c_fc", { "h.0.mlp.c_fc.weight": to(HUGE) }],
  ["layer 2, h\\.2\\.mlp\\.c_proj", { "h.2.mlp.c_proj.weight": to(HUGE), "h.2.mlp.c_proj.bias": to(HUGE) }],
  ["ln_f", { "ln_f.weight": to(HUGE), "ln_f.bias": to(HUGE) }],
  ["lm_head", { "lm_head.weight": to(HUGE) }],
];

for (const [where, changes] of OVERFLOWS) {
  gpuTest(
    `Weights that overflow in ${where.replaceAll("\\", "")} are a failure that says so`,
    async (gpu) => {
      for (const tuning of [SOFTWARE_TUNING, HARDWARE_TUNING]) {
        await withChanged(gpu, changes, async (model) => {
          await withDecoder(model, { variant: STATIC, maxOutputs: 3 }, async (decoder) => {
            const at = `${where}, at token 1`;
            const late = where === "ln_f" || where === "lm_head" ? `${where}, at token 3` : at;
            decoder.begin([[1, 2, 3]]);
            decoder.advance(5);
            await assert.rejects(decoder.ids(3), isNotFinite(3, late));
            decoder.begin([[1, 2, 3]], [{ temperature: 1, topK: 9, topP: 0.9, seed: 1 }]);
            decoder.advance(5);
            await assert.rejects(decoder.ids(3), isNotFinite(3, late));
            decoder.begin([[1, 2, 3]]);
            await assert.rejects(decoder.logits(3), isNotFinite(1, at));
          });
        }, tuning);
      }
    },
  );
}

/** Makes V of layer 1 overflow, or K: [inputs, 3 * outputs] by part. */
const overflowIn = (part: 1 | 2): Change => (values) =>
  values.map((value, i) => Math.floor(i % (3 * AWKWARD.n_embd) / AWKWARD.n_embd) === part ? HUGE : value);

for (const kvDtype of ["f32", "f16", "int8"] as const satisfies Dtype[]) {
  gpuTest(
    `Keys or values that overflow alone are seen in every strategy, with K/V in ${kvDtype}`,
    async (gpu) => {
      for (const part of [1, 2] as const) {
        await withChanged(gpu, { "h.1.attn.c_attn.weight": overflowIn(part) }, async (model) => {
          for (const variant of [NO_CACHE, STATIC, DYNAMIC, paged(7)]) {
            await withDecoder(model, { variant, kvDtype }, async (decoder) => {
              for (const prompt of [[1], [1, 2, 3, 4, 5, 6, 7, 8, 9]]) {
                decoder.begin([prompt]);
                decoder.advance(3);
                const where = "layer 1, h\\.1\\.attn\\.c_attn, at token 1";
                await assert.rejects(decoder.ids(0), isNotFinite(prompt.length, where), variant.name);
              }
            });
          }
        });
      }
    },
  );
}

/** Only sequences with token 7 overflow, from that token on. */
const ONE_TOKEN = {
  "wte.weight": (values: Float32Array<ArrayBuffer>) =>
    values.fill(HUGE, 7 * AWKWARD.n_embd, 8 * AWKWARD.n_embd),
};
const BROKEN = [5, 6, 7, 8, 9], SOUND = [5, 6, 8, 9];
const IN_BROKEN = "layer 0, h\\.0\\.ln_1, at token 3";

gpuTest("A sequence that overflows in a batch is the one that the error is of", async (gpu) => {
  await withChanged(gpu, ONE_TOKEN, async (model) => {
    await withDecoder(model, { variant: paged(4), nSequences: 2 }, async (decoder) => {
      decoder.begin([SOUND, BROKEN]);
      await assert.rejects(decoder.logits(), isNotFinite(5, IN_BROKEN));
      decoder.begin([SOUND, BROKEN]);
      decoder.advance(4);
      await assert.rejects(decoder.ids([4, 5]), isNotFinite(5, IN_BROKEN));
      const running = Array.fromAsync(
        generate(decoder, { prompts: [BROKEN, SOUND], maxNewTokens: 20, sampling: [GREEDY, GREEDY] }),
      );
      await assert.rejects(running, isNotFinite(5, IN_BROKEN));
    });
  });
});

gpuTest("Parallel samples and beams of a sequence that overflows are a failure", async (gpu) => {
  await withChanged(gpu, ONE_TOKEN, async (model) => {
    for (const strategy of ["no-cache", "kv-cache", "paged"] as const) {
      const shared = { strategy, kvDtype: "f32", blockSize: 4, newTokens: 6 } as const;
      const samplings = [1, 2, 3].map((seed) => ({ temperature: 1, topK: 0, topP: 1, seed }));
      const sampling = sampleParallel(model, { ...shared, ids: BROKEN, samplings, onToken: () => true });
      await assert.rejects(sampling, isNotFinite(5, IN_BROKEN));
      const beams = { nBeams: 3, lengthPenalty: 1, earlyStopping: "false", eos: undefined } as const;
      await assert.rejects(beamSearch(model, BROKEN, { ...shared, ...beams }), isNotFinite(5, IN_BROKEN));
    }
  });
});

gpuTest(
  "A request that overflows fails alone: the server goes on, and others get their tokens",
  async (gpu) => {
    await withChanged(gpu, ONE_TOKEN, async (model) => {
      await serveModel(model, {}, async ({ post, engine }) => {
        const [alone] = await idsAlone(model, [{ prompt: SOUND, sampling: GREEDY }]);
        const body = { max_tokens: 12, ignore_eos: true };
        const { error: logError } = console;
        const logged: string[] = [];
        console.error = (line: string) => logged.push(line);
        try {
          const sound = Array.from({ length: 3 }, () => whole(post({ ...body, prompt: SOUND })));
          const broken = await post({ ...body, prompt: BROKEN });
          const { error } = await broken.json();
          assert.deepEqual([error.type, error.code], ["server_error", "not_finite"]);
          const streamed = await post({ ...body, prompt: BROKEN, stream: true, n: 2, temperature: 1 });
          const events = await Array.fromAsync(eventsOf(streamed));
          assert.equal(JSON.parse(events.at(-1)!).error.code, "not_finite");
          for (const { choices: [choice] } of await Promise.all(sound)) {
            assert.deepEqual(idsOf(choice!.text), alone!.slice(0, 12));
          }
          const { choices } = await whole(post({ ...body, prompt: SOUND }));
          assert.deepEqual(idsOf(choices[0]!.text), alone!.slice(0, 12));
        } finally {
          console.error = logError;
        }
        assert.equal(logged.length, 2);
        for (const line of logged) {
          assert.match(line, /^kvbench: A request failed: The logits .+ layer 0, h\.0\.ln_1/);
        }
        const { capacity, free } = engine.usage();
        assert.equal(free, capacity);
      });
    });
  },
  { needs: ["net"] },
);

gpuTest("Logits that are only large are no failure", async (gpu) => {
  await withChanged(
    gpu,
    { "lm_head.weight": (values) => values.map((value) => value * 1e36) },
    async (model) => {
      await withDecoder(model, { variant: STATIC }, async (decoder) => {
        decoder.begin([PROMPT]);
        const [logits] = await decoder.logits();
        assert.ok(Math.max(...logits!.map(Math.abs)) > 1e36);
        for (const temperature of [0, 1]) {
          decoder.begin([PROMPT], [{ ...GREEDY, temperature, topK: 5, topP: 0.9 }]);
          decoder.advance(20);
          assert.ok((await decoder.ids(PROMPT.length))[0]!.every((id) => id < AWKWARD.vocab_size));
        }
      });
    },
  );
});

/** GPT-2's vocabulary, so that text is taken, and the widths of the embedded model, whose kernels drivers have compiled. */
const LITTLE: ConfigKeys = { n_layer: 2, n_head: 2, n_embd: 128, n_ctx: 64, vocab_size: 50257 };

Deno.test(
  "Every command that computes ends with code 1 and one line where weights overflow",
  { ignore },
  async () => {
    await inScratch(async (folder) => {
      const { configJson, weights } = await filesWith({ "h.1.mlp.c_fc.weight": to(HUGE) }, LITTLE);
      const model = `${folder}/model`;
      await Deno.mkdir(model);
      await Deno.writeTextFile(`${model}/config.json`, configJson);
      await Deno.writeFile(`${model}/model.safetensors`, weights);
      await Deno.writeTextFile(`${folder}/text.txt`, "Once upon a time there was a text");
      const generate = ["generate", "--prompt-ids", "1,2,3", "--output", "ids", "--max-new-tokens", "6"];
      const commands = [
        generate, // of one sequence: several and beams have tests above
        ["logits", "--prompt-ids", "1,2,3", "--out", `${folder}/logits.bin`],
        ["perplexity", `${folder}/text.txt`],
        [
          "bench",
          "--prompt-ids",
          "1,2,3",
          "--new-tokens",
          "4",
          "--runs",
          "1",
          "--json",
          `${folder}/bench.json`,
        ],
        ["profile", "--prompt-tokens", "8", "--new-tokens", "2", "--json", `${folder}/profile.json`],
        ["serve-sim", "--requests", "2", "--json", `${folder}/sim.json`],
        ["paper", "--views", "batch", "--requests", "2", "--json", `${folder}/paper.json`],
      ];
      for (const args of commands) {
        const line = args.join(" ");
        const all = [...args, "--model", model, "--no-autotune"];
        const { code, stderr, stdout } = await kvbench(all, { write: folder, flags: ["-A"] });
        assert.match(
          stderr.trim().split("\n").at(-1)!,
          /^kvbench: The logits after token \d+ are not finite: .+ layer 1, h\.1\.mlp\.c_fc, at token 1;/,
          line,
        );
        assert.equal(code, 1, line);
        // bench says what it begins with.
        const said = stdout.split("\n").filter((text) => !/^(kvbench: .+ on|Result:) /.test(text)).join("");
        assert.equal(said, "", line);
      }
      assert.deepEqual(namesIn(folder), ["model", "text.txt"]);
    });
  },
);

Deno.test("A weight that float16 can't hold is refused by its tensor's name", { ignore }, async () => {
  await inScratch(async (folder) => {
    const { configJson, weights } = await filesWith({
      "h.1.mlp.c_fc.weight": (values) => values.fill(7e4, 3, 4),
    }, LITTLE);
    await Deno.writeTextFile(`${folder}/config.json`, configJson);
    await Deno.writeFile(`${folder}/model.safetensors`, weights);
    const args = [
      "generate",
      "--prompt-ids",
      "1",
      "--output",
      "ids",
      "--model",
      folder,
      "--weights-dtype",
      "f16",
    ];
    const { code, stderr } = await kvbench(args, { flags: ["-A"] });
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^kvbench: Tensor h\.1\.mlp\.c_fc\.weight can't be stored: An element is 70000: float16 holds at most 65504/m,
    );
  });
});
