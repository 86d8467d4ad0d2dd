import assert from "node:assert/strict";
import { fixtureResult } from "../../../tests/fixtures/result.ts";
import { cellKey, checkPlan, groupsOf, madeUpPrompt, promptsOf } from "./grid.ts";
import type { Plan } from "./plan.ts";

const MODEL = { nCtx: 48, vocabSize: 509 };
const { plan: FIXTURE } = fixtureResult();

/** A plan for a model of 48 tokens and 509 words. */
function planWith(
  change: Partial<Plan> & { cells?: { readonly [key: string]: Plan["grid"][string] } },
): Plan {
  const { cells, ...rest } = change;
  const grid = { ...FIXTURE.grid, prompt_tokens: [3], new_tokens: [45], kv_capacity_tokens: [48], ...cells };
  return { ...FIXTURE, prompt_ids: [1, 2, 3], grid, ...rest };
}

Deno.test("groupsOf() puts cells that do the same work together, and gives each what concerns it", () => {
  const groups = groupsOf(planWith({
    cells: { batch: [1, 4], block_size: [8, 16], growth: ["static", "dynamic"], kv_capacity_tokens: [48] },
  }));
  assert.equal(groups.length, 2);
  assert.deepEqual(
    groups[1]!.map((
      { strategy, settings: { batch, block_size, growth, kv_capacity_tokens } },
    ) => [strategy, batch, block_size ?? null, growth ?? null, kv_capacity_tokens ?? null]),
    [
      ["no-cache", 4, null, null, null],
      ["kv-cache", 4, null, "static", 48],
      ["kv-cache", 4, null, "dynamic", null],
      ["paged", 4, 8, null, 48],
      ["paged", 4, 16, null, 48],
    ],
  );
  const keys = groups.flat().map(cellKey);
  assert.equal(new Set(keys).size, keys.length);
});

Deno.test("groupsOf() refuses a sweep that would never end", () => {
  const many = Array.from({ length: 200 }, (_, i) => i + 1);
  assert.throws(() => groupsOf(planWith({ cells: { batch: many, prompt_tokens: many } })), {
    name: "UsageError",
    message: "The sweep has 120000 cells: expected at most 10000",
  });
});

Deno.test("checkPlan() takes a plan that fills the context, and ids up to the last", () => {
  checkPlan(planWith({}), MODEL);
  checkPlan(
    planWith({ prompt_ids: [508], cells: { prompt_tokens: [1], new_tokens: [1], kv_capacity_tokens: [2] } }),
    MODEL,
  );
});

const REFUSED: readonly (readonly [change: Parameters<typeof planWith>[0], message: RegExp])[] = [
  [
    { cells: { new_tokens: [1, 46] } },
    /^3 prompt tokens and 46 new tokens make 49: the model's context is 48 tokens, the positions that it has learned$/,
  ],
  [{ prompt_ids: [0, 509, 1] }, /^Token id 509 is not in the vocabulary: expected ids below 509$/],
  [
    { cells: { kv_capacity_tokens: [47] } },
    /^A KV capacity of 47 tokens does not fit: expected from 48, .+ to 48/,
  ],
  [
    { cells: { kv_capacity_tokens: [49] } },
    /^A KV capacity of 49 tokens does not fit: expected from 48, .+ to 48/,
  ],
];

for (const [change, message] of REFUSED) {
  Deno.test(`checkPlan() refuses ${JSON.stringify(change)}`, () => {
    assert.throws(() => checkPlan(planWith(change), MODEL), { name: "UsageError", message });
  });
}

Deno.test("promptsOf() gives a text's ids to every sequence, and made-up prompts of their own", () => {
  const settings = { ...groupsOf(planWith({ cells: { batch: [3] } }))[0]![0]!.settings };
  assert.deepEqual(promptsOf(planWith({}), settings, 509), [[1, 2, 3], [1, 2, 3], [1, 2, 3]]);
  const madeUp = promptsOf(planWith({ prompt_ids: null }), settings, 509);
  assert.equal(new Set(madeUp.map(String)).size, 3);
  assert.deepEqual(madeUp.map(({ length }) => length), [3, 3, 3]);
});

Deno.test("madeUpPrompt() gives as many ids as asked for, all in the vocabulary, by the seed", () => {
  for (const count of [1, 7, 65, 769]) {
    const ids = madeUpPrompt(count, 509, 5);
    assert.equal(ids.length, count);
    assert.ok(ids.every((id) => Number.isInteger(id) && id >= 0 && id < 509));
    assert.deepEqual(ids, madeUpPrompt(count, 509, 5));
  }
  assert.notDeepEqual(madeUpPrompt(65, 509, 5), madeUpPrompt(65, 509, 6));
  assert.deepEqual(madeUpPrompt(7, 509, 5), madeUpPrompt(65, 509, 5).slice(0, 7));
});
