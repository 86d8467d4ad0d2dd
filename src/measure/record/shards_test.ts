import assert from "node:assert/strict";
import { fixtureResult } from "../../../tests/fixtures/result.ts";
import { groupsOf } from "../run/grid.ts";
import { type BenchResult, parseResult } from "./result.ts";
import type { NamedResult } from "./one_plan.ts";
import { mergeShards } from "./shards.ts";

const WHOLE: BenchResult = {
  ...fixtureResult({ grid: { prompt_tokens: [32, 64, 128], batch: [1, 2] }, runs: 3 }),
  start: null, // each shard has its own
};

/** The part of a result that a shard would have measured. */
function shardOf(whole: BenchResult, index: number, of: number): NamedResult {
  const places = whole.groups.map((_, i) => i).filter((i) => i % of === index - 1);
  const result = {
    ...whole,
    plan: { ...whole.plan, shard: { index, of } },
    groups: places.map((i) => whole.groups[i]!),
    cells: places.flatMap((i, group) =>
      whole.cells.filter((cell) => cell.group === i).map((cell) => ({ ...cell, group }))
    ),
  };
  return { path: `${index}.json`, result: parseResult(JSON.parse(JSON.stringify(result)), "a shard") };
}

Deno.test("groupsOf() deals the groups out one by one, each to one shard", () => {
  const all = groupsOf(WHOLE.plan);
  assert.equal(all.length, 6);
  const dealt = [1, 2, 3, 4].map((index) => groupsOf({ ...WHOLE.plan, shard: { index, of: 4 } }));
  assert.deepEqual(dealt.map(({ length }) => length), [2, 2, 1, 1]);
  assert.deepEqual(dealt[1], [all[1], all[5]]);
});

Deno.test("mergeShards() makes the result that one machine would have written, in any order of shards", () => {
  const shards = [3, 1, 4, 2].map((index) => shardOf(WHOLE, index, 4));
  const { results, notes } = mergeShards(shards);
  assert.deepEqual(results, [{ path: "3.json", result: WHOLE }]);
  assert.deepEqual(notes, []);
  parseResult(results[0]!.result, "the joined result");
});

Deno.test("mergeShards() leaves whole results alone, and keeps adapters and commits apart", () => {
  const other = structuredClone(WHOLE);
  other.environment.adapter.description = "Another GPU";
  const newer = structuredClone(WHOLE);
  newer.environment.git_commit = "f".repeat(40);
  const named = [WHOLE, other, newer].flatMap((whole, k) =>
    [1, 2].map((index) => ({ ...shardOf(whole, index, 2), path: `${k}-${index}` }))
  );
  const { results } = mergeShards([{ path: "whole", result: WHOLE }, ...named]);
  assert.deepEqual(results, [
    { path: "whole", result: WHOLE },
    { path: "0-1", result: WHOLE },
    { path: "1-1", result: other },
    { path: "2-1", result: newer },
  ]);
});

Deno.test("mergeShards() says which shards are missing, and the result is not complete", () => {
  const { results, notes } = mergeShards([shardOf(WHOLE, 2, 4)]);
  assert.deepEqual([results[0]!.result.complete, results[0]!.result.groups.length], [false, 2]);
  assert.match(notes.join(), /^Of 4 shards on .+, 1, 3, 4 are missing: the run is not complete$/);
});

Deno.test("mergeShards() refuses by name a shard of another plan or model, and one that is there twice", () => {
  const first = shardOf(WHOLE, 1, 2), second = shardOf(WHOLE, 2, 2);
  const refused = (change: (result: BenchResult) => void) => {
    const result = structuredClone(second.result);
    change(result);
    return () => mergeShards([first, { ...second, result }]);
  };
  const message = (what: string) =>
    `Cannot join 2.json: its ${what} is another than that of 1.json, expected shards of one plan and model`;
  const fails = (change: (result: BenchResult) => void, what: string) =>
    assert.throws(refused(change), { name: "KvbenchError", message: message(what) });
  fails((result) => result.plan.seed++, "plan.seed");
  fails((result) => result.model.name = "other", "model.name");
  fails((result) => result.plan.shard!.of = 3, "number of shards");
  assert.throws(() => mergeShards([first, { ...first, path: "again.json" }]), {
    name: "KvbenchError",
    message: "Cannot join again.json: it is shard 1/2 as 1.json is, expected each once",
  });
});
