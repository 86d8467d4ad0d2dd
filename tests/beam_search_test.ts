/**
 * Several continuations of one prompt: beams are those of a plain search on the CPU, samples those that each seed gives
 * alone, with every strategy; and blocks are shared, caches copied whole.
 */
import assert from "node:assert/strict";
import { beamSearch } from "../src/engine/beam_search.ts";
import { EARLY_STOPPING } from "../src/engine/beams.ts";
import { sampleParallel } from "../src/engine/sample_parallel.ts";
import { strategyNamed, strategyNames } from "../src/kv/registry.ts";
import { kvRowBytes } from "../src/kv/shape.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { GREEDY } from "../src/model/sampling.ts";
import { AWKWARD, randomCheckpoint } from "./fixtures/checkpoint.ts";
import { beamSearchCpu } from "./fixtures/beam_search_cpu.ts";
import { gpt2Cpu } from "./fixtures/gpt2_cpu.ts";
import { gpuTest } from "./gpu_support.ts";
import { idsAlone } from "./serve_support.ts";

const PROMPT = [5, 6, 7, 8, 9, 10, 11];
const SETTINGS = { kvDtype: "f32", kvOptions: { block_size: 4 } } as const;
/** Strategies whose sequences can be forked. */
const FORKED = strategyNames().filter((name) => strategyNamed(name).traits.unforked === undefined);

gpuTest("Beam search finds what a plain search on the CPU finds, with every strategy", async (gpu) => {
  const { checkpoint, tensors, config } = await randomCheckpoint(AWKWARD);
  const model = await Gpt2.load(gpu, checkpoint);
  checkpoint.close();
  const known = new Map<string, Float64Array>();
  const logitsAfter = (ids: readonly number[]) => {
    const key = ids.join();
    const logits = known.get(key) ??
      gpt2Cpu(config, tensors, ids).subarray((ids.length - 1) * config.vocabSize);
    known.set(key, logits);
    return logits;
  };
  const greedy = beamSearchCpu(logitsAfter, PROMPT, {
    nBeams: 1,
    newTokens: 6,
    lengthPenalty: 1,
    earlyStopping: "false",
    eos: -1,
  })[0]!.ids;
  try {
    for (const [i, earlyStopping] of EARLY_STOPPING.entries()) {
      for (const [nBeams, lengthPenalty] of [[1, 1], [2, 0], [3, 1], [4, 2]] as const) {
        // An id that beams meet soon ends the text.
        const search = { nBeams, newTokens: 9, lengthPenalty, earlyStopping, eos: greedy[1 + i]! };
        const expected = beamSearchCpu(logitsAfter, PROMPT, search);
        for (const strategy of FORKED) {
          const { hypotheses } = await beamSearch(model, PROMPT, { ...search, ...SETTINGS, strategy });
          const what = JSON.stringify({ ...search, strategy });
          assert.deepEqual(hypotheses.map(({ ids }) => ids), expected.map(({ ids }) => ids), what);
          hypotheses.forEach(({ score }, h) => assert.ok(Math.abs(score - expected[h]!.score) < 1e-4, what));
        }
      }
    }
  } finally {
    model.dispose();
  }
});

gpuTest(
  "Continuations are what their seeds give alone; blocks are shared, and caches copied whole",
  async (gpu) => {
    const { checkpoint } = await randomCheckpoint(AWKWARD);
    const model = await Gpt2.load(gpu, checkpoint);
    checkpoint.close();
    const samplings = [3, 4, 5].map((seed) => ({ ...GREEDY, temperature: 1, seed }));
    const rowBytes = AWKWARD.n_layer * kvRowBytes({ ...model.config, ...model.dims, dtype: "f32" });
    try {
      const alone = await idsAlone(model, samplings.map((sampling) => ({ prompt: PROMPT, sampling })));
      const found = new Map<string, Awaited<ReturnType<typeof sampleParallel>>>();
      for (const strategy of FORKED) {
        const ids: number[][] = [[], [], []];
        const onToken = (index: number, id: number) => {
          ids[index]!.push(id);
          return index !== 1 || ids[1]!.length < 2; // the second one is ended early
        };
        const request = { ids: PROMPT, newTokens: 6, samplings, strategy, ...SETTINGS, onToken };
        found.set(strategy, await sampleParallel(model, request));
        assert.deepEqual(
          ids,
          [alone[0]!.slice(0, 6), alone[1]!.slice(0, 2), alone[2]!.slice(0, 6)],
          strategy,
        );
      }
      // 7 tokens of the prompt fill a block and three quarters of another; the last of 13 is never stored.
      const paged = found.get("paged")!, whole = found.get("kv-cache")!;
      assert.equal(whole.heldBytes, 3 * 13 * rowBytes);
      assert.equal(whole.unsharedBytes, whole.heldBytes);
      assert.equal(whole.copiedBytes, 2 * 7 * rowBytes);
      assert.equal(paged.copiedBytes, 2 * 4 * rowBytes);
      assert.ok(paged.heldBytes < paged.unsharedBytes && paged.heldBytes < whole.heldBytes);
      // Where ids come back late, the continuation that was ended is still computed when the others have all tokens.
      const saved = paged.unsharedBytes - paged.heldBytes;
      assert.equal(saved, (gpu.mapsAtOnce ? 1 : 2) * 4 * rowBytes);
      assert.equal(found.get("no-cache")!.copiedBytes, 0);
    } finally {
      model.dispose();
    }
  },
);
