import assert from "node:assert/strict";
import { checkWorkload, syntheticPrompt, type Workload } from "./workload.ts";

const MODEL = { nCtx: 48, vocabSize: 509 };
const WORKLOAD: Workload = {
  prompt: null,
  promptIds: [1, 2, 3],
  newTokens: 45,
  strategies: ["no-cache", "paged"],
  runs: 1,
  warmup: 0,
  blockSize: 16,
  growth: "static",
  kvCapacityTokens: 48,
  kvDtype: "f32",
  seed: 0,
};

Deno.test("checkWorkload() takes a workload that fills the context, and ids up to the last", () => {
  checkWorkload(WORKLOAD, MODEL);
  checkWorkload({ ...WORKLOAD, promptIds: [508], newTokens: 1, kvCapacityTokens: 2 }, MODEL);
});

const REFUSED: readonly (readonly [change: Partial<Workload>, message: RegExp])[] = [
  [{ promptIds: [] }, /^The prompt is empty: wanted at least one token$/],
  [{ newTokens: 46 }, /^3 prompt tokens and 46 new tokens make 49: the model's context is 48 tokens$/],
  [{ promptIds: [0, 509, 1] }, /^Token id 509 is not in the vocabulary: wanted ids below 509$/],
  [{ kvCapacityTokens: 47 }, /^A KV capacity of 47 tokens does not fit: wanted from 48, .+ to 48/],
  [{ kvCapacityTokens: 49 }, /^A KV capacity of 49 tokens does not fit: wanted from 48, .+ to 48/],
];

for (const [change, message] of REFUSED) {
  Deno.test(`checkWorkload() refuses ${JSON.stringify(change)}`, () => {
    assert.throws(() => checkWorkload({ ...WORKLOAD, ...change }, MODEL), { name: "UsageError", message });
  });
}

Deno.test("syntheticPrompt() gives as many ids as asked for, all in the vocabulary, by the seed", () => {
  for (const count of [1, 7, 65, 769]) {
    const ids = syntheticPrompt(count, 509, 5);
    assert.equal(ids.length, count);
    assert.ok(ids.every((id) => Number.isInteger(id) && id >= 0 && id < 509));
    assert.deepEqual(ids, syntheticPrompt(count, 509, 5));
  }
  assert.notDeepEqual(syntheticPrompt(65, 509, 5), syntheticPrompt(65, 509, 6));
  assert.deepEqual(syntheticPrompt(7, 509, 5), syntheticPrompt(65, 509, 5).slice(0, 7));
});
