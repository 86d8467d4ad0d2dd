/**
 * What GPT-2 computes where heads attend to a part of the past: logits and ids of strategies that are not exact, made by
 * PyTorch in float64 (`golden/README.md`), and the check of a strategy against them.
 */
import assert from "node:assert/strict";
import { withDecoder } from "../src/engine/with_decoder.ts";
import type { Gpu } from "../src/gpu/gpu.ts";
import { locateModel } from "../src/hub/locate.ts";
import type { KvOptions } from "../src/kv/strategy_def.ts";
import { SOFTWARE_TOLERANCE } from "../src/measure/quality/logit_tolerance.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { RANDOM_SMALL } from "./cli_support.ts";
import { assertClose, gpuTest } from "./gpu_support.ts";

/** A prompt, and what follows it. */
export interface StrategyCase {
  readonly name: string;
  readonly strategy: string;
  readonly ids: readonly number[];
  readonly greedy_ids: readonly number[];
  readonly rows: "each" | "first and last";
  readonly logits_file: string;
  /** Options of the strategy, and what else the case says of it. */
  readonly [more: string]: unknown;
}

const FOLDERS = { "strategies-random-small": RANDOM_SMALL, "strategies-tiny": "tiny" };

/** Loads a model by its name or folder. */
export async function openModel(
  gpu: Gpu,
  name: string,
  options: Parameters<typeof Gpt2.load>[2] = {},
): Promise<Gpt2> {
  const opened = await locateModel(name);
  const model = await Gpt2.load(gpu, opened, options);
  opened.close();
  return model;
}

/** Registers a test of each model with all cases of a strategy. */
export function goldenTests(
  strategy: string,
  title: string,
  check: (model: Gpt2, item: StrategyCase, logits: Float32Array) => Promise<void>,
): void {
  for (const [folder, checkpoint] of Object.entries(FOLDERS)) {
    const at = (path: string) => new URL(`golden/${folder}/${path}`, import.meta.url);
    gpuTest(`${title} (${folder})`, async (gpu) => {
      const model = await openModel(gpu, checkpoint);
      const cases: StrategyCase[] = JSON.parse(await Deno.readTextFile(at("cases.json")));
      for (const item of cases.filter((item) => item.strategy === strategy)) {
        const { buffer } = await Deno.readFile(at(item.logits_file));
        await check(model, item, new Float32Array(buffer));
      }
      model.dispose();
    }, { needs: ["read"] });
  }
}

/**
 * Decodes a case in a batch, beside others of other lengths, and compares ids and logits.
 *
 * @param nSequences Sequences of the batch: an even one is the case, an odd one the half of its prompt.
 */
export async function checkStrategyCase(
  model: Gpt2,
  { name, strategy, ids, greedy_ids: greedy, rows }: StrategyCase,
  expected: Float32Array,
  { kvOptions, nSequences }: { readonly kvOptions: KvOptions; readonly nSequences: number },
): Promise<void> {
  const { vocabSize } = model.config, half = ids.slice(0, Math.ceil(ids.length / 2));
  const prompts = Array.from({ length: nSequences }, (_, s) => s % 2 === 0 ? ids : half);
  const sizes = { nSequences, maxPromptTokens: ids.length, maxTokens: ids.length + greedy.length };
  await withDecoder(model, { strategy, kvOptions, ...sizes }, async (decoder) => {
    decoder.begin(prompts);
    for (const token of greedy.keys()) {
      const logits = await decoder.logits();
      const row = rows === "each" ? token : [0, greedy.length - 1].indexOf(token);
      for (let s = 0; s < nSequences && row >= 0; s += 2) {
        assertClose(logits[s]!, expected.subarray(row * vocabSize, (row + 1) * vocabSize), {
          tolerance: SOFTWARE_TOLERANCE,
          name: `${name}, ${s + 1} of ${nSequences}, before new token ${token + 1}`,
        });
      }
      if (token < greedy.length - 1) decoder.append(prompts.map(() => [greedy[token]!]));
    }
    decoder.begin(prompts);
    decoder.advance(greedy.length);
    const found = await decoder.ids(prompts.map(({ length }) => length));
    found.forEach((own, s) => s % 2 === 0 && assert.deepEqual(own, greedy, name));
  });
}
