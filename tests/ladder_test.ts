/**
 * The ladder on a GPU: exact rungs choose the same ids themselves, the others compute the same tokens, and what is fed
 * takes the place of what a rung chose.
 */
import assert from "node:assert/strict";
import type { Gpu } from "../src/gpu/gpu.ts";
import { locateModel } from "../src/hub/locate.ts";
import {
  assertLadderIds,
  type FedId,
  idsToFeed,
  type LadderWork,
  type OpenRung,
  openRung,
} from "../src/measure/ladder/rung_run.ts";
import { type ModelIn, runLadder, type WeighedModel } from "../src/measure/ladder/run_ladder.ts";
import { RUNG_NAMES, rungs, type WholeRung, wholeRungs } from "../src/measure/ladder/rungs.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { goldenCase } from "./cli_support.ts";
import { gpuTest } from "./gpu_support.ts";

/** Loads the embedded model in the types of all rungs. */
async function withModels(gpu: Gpu, use: (modelIn: ModelIn) => Promise<void>): Promise<void> {
  const checkpoint = await locateModel("tiny");
  const models = new Map<string, WeighedModel & { readonly model: Gpt2 }>();
  try {
    for (const weightsDtype of new Set(wholeRungs().map((rung) => rung.weightsDtype))) {
      const before = gpu.ledger.current.weights;
      const model = await Gpt2.load(gpu, checkpoint, { weightsDtype });
      models.set(weightsDtype, { model, weightsBytes: gpu.ledger.current.weights - before });
    }
    await use((dtype) => models.get(dtype)!);
  } finally {
    for (const { model } of models.values()) model.dispose();
    checkpoint.close();
  }
}

async function withRung<T>(
  modelIn: ModelIn,
  rung: WholeRung,
  work: LadderWork,
  use: (open: OpenRung) => Promise<T>,
): Promise<T> {
  const open = await openRung(modelIn(rung.weightsDtype).model, rung, work);
  try {
    return await use(open);
  } finally {
    open.runner.dispose();
  }
}

const named = (name: string) => wholeRungs().find((rung) => rung.name === name)!;

Deno.test("Each rung says what it changes against the one below it, and nothing that it has from there", () => {
  const whole = wholeRungs();
  assert.deepEqual(whole.map(({ name }) => name), [...RUNG_NAMES]);
  for (const [i, { name, changes }] of rungs().entries()) {
    if (i === 0) continue;
    for (const [key, value] of Object.entries(changes)) {
      assert.notDeepEqual(whole[i - 1]![key as keyof WholeRung], value, `${name}: ${key}`);
    }
  }
});

gpuTest("Every exact rung chooses the golden ids itself, and rungs 5 and 6 choose the same", async (gpu) => {
  const { ids: prompt, greedy } = await goldenCase("tiny", "once"), newTokens = 12;
  const expected = greedy.slice(0, newTokens);
  await withModels(gpu, async (modelIn) => {
    const own = new Map<string, number[][]>();
    for (const rung of wholeRungs()) {
      const { ids } = await withRung(modelIn, rung, { prompt, newTokens }, ({ run }) => run([]));
      assert.equal(ids.length, rung.batch);
      if (rung.exact) assert.deepEqual(ids, [expected], rung.name);
      own.set(rung.name, ids);
    }
    assert.deepEqual(own.get("blocks"), own.get("half"));
  });
}, { needs: ["read"] });

gpuTest(
  "A rung that rounds is fed the ids that it would not have chosen; an exact one fails",
  async (gpu) => {
    const work = { prompt: [464, 3290, 318], newTokens: 6 }, firstPosition = work.prompt.length;
    await withModels(gpu, async (modelIn) => {
      for (const name of ["half", "batch"]) {
        await withRung(modelIn, named(name), work, async (open) => {
          const [free] = (await open.run([])).ids as [number[]];
          // Ids that differ from the third one on: what follows depends on them, so that more may have to be fed.
          const ids = free.map((id, i) => i < 2 ? id : (id + 1) % 50257);
          const fed = await idsToFeed(open, named(name), { ids, firstPosition });
          const first = Math.min(...fed.map(({ position }) => position));
          assert.equal(first, firstPosition + 2);
          assert.deepEqual((await open.run(fed)).ids, Array(named(name).batch).fill(ids));
          assert.throws(
            () => assertLadderIds(name, [free], ids),
            /The rungs disagree, so no time is reported: at new token 3,/,
          );
          const again: FedId[] = await idsToFeed(open, named(name), { ids: free, firstPosition });
          assert.deepEqual(again, [], "its own ids are fed");
        });
      }
      await withRung(modelIn, named("reuse"), work, async (open) => {
        const [free] = (await open.run([])).ids as [number[]];
        const ids = [...free.slice(0, 5), free[5]! + 1];
        await assert.rejects(
          idsToFeed(open, named("reuse"), { ids, firstPosition }),
          /The rungs disagree, so no time is reported: at new token 6, expected \d+, and rung reuse chose \d+$/,
        );
      });
    });
  },
  { needs: ["read"] },
);

gpuTest(
  "A ladder has turns of each rung with the one below and of the whole, and counts a rung's memory alone",
  async (gpu) => {
    await withModels(gpu, async (modelIn) => {
      const seen: string[] = [];
      const plan = { prompt: null, prompt_ids: [464, 3290, 318], new_tokens: 3, runs: 1, target_ci: 0.1 };
      const { token_ids, rungs: measured, turns } = await runLadder(modelIn, {
        ...plan,
        max_seconds: 1,
        seed: 3,
      }, {
        run: (what, names) => seen.push(`${what} ${names.join(" ")}`),
      });
      assert.equal(token_ids.length, 3);
      assert.deepEqual(seen.slice(0, 2), ["check recompute", "check concatenate"]);
      assert.deepEqual(seen.slice(-2), ["turns blocks batch", "turns recompute batch"]);
      assert.deepEqual(turns.map(({ from, to }) => [from, to]), [
        ...RUNG_NAMES.slice(1).map((_, i) => [i, i + 1]),
        [0, RUNG_NAMES.length - 1],
      ]);
      for (const { from_ms, to_ms, yardstick_ms } of turns) {
        assert.deepEqual([from_ms.length, to_ms.length, yardstick_ms.length], [1, 1, 2]);
      }
      for (const { name, weights_dtype, loop, peak_bytes, gaps_ms } of measured) {
        const { weights, kv, activations, total } = peak_bytes;
        assert.equal(weights, modelIn(weights_dtype).weightsBytes, name);
        assert.ok(kv > 0 && activations > 0 && total < 1.5 * weights + kv + activations, name);
        assert.equal(gaps_ms !== null, loop === "awaited", name);
        for (const gaps of gaps_ms ?? []) assert.equal(gaps.length, 2);
      }
    });
  },
  { needs: ["read"] },
);
