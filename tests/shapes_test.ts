/**
 * Models of random shapes: heads, head width, layers, feed-forward width, vocabulary and context are whatever they are.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { seededRandom } from "../src/base/random.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { HARDWARE_TUNING, SOFTWARE_TUNING } from "../src/model/tuning.ts";
import { NO_CACHE, paged, STATIC, withDecoder } from "./decode_support.ts";
import { randomCheckpoint } from "./fixtures/checkpoint.ts";
import { gpt2Cpu } from "./fixtures/gpt2_cpu.ts";
import { runs } from "./fuzz.ts";
import { assertClose, gpuTest } from "./gpu_support.ts";

/** Logits of up to 30; float32 over three layers was measured to lose a few parts in a million of that. */
const TOLERANCE = 2e-4;

const shape = fc.record({
  nHead: fc.integer({ min: 1, max: 5 }),
  headDim: fc.integer({ min: 1, max: 24 }),
  nLayer: fc.integer({ min: 1, max: 3 }),
  nInner: fc.integer({ min: 1, max: 70 }),
  vocabSize: fc.integer({ min: 2, max: 200 }),
  nCtx: fc.integer({ min: 2, max: 48 }),
  hardware: fc.boolean(),
  blockSize: fc.integer({ min: 1, max: 20 }),
  seed: fc.nat(1000),
});

gpuTest(
  "Gpt2 of any shape equals the CPU's pass, and its strategies decode alike to the context's end",
  async (gpu) => {
    await fc.assert(
      fc.asyncProperty(shape, async (item) => {
        const { nHead, headDim, nLayer, nInner, vocabSize, nCtx, hardware, blockSize, seed } = item;
        const { checkpoint, config, tensors } = await randomCheckpoint({
          n_layer: nLayer,
          n_head: nHead,
          n_embd: nHead * headDim,
          n_inner: nInner,
          n_ctx: nCtx,
          vocab_size: vocabSize,
        }, seed);
        const model = await Gpt2.load(gpu, checkpoint, {
          tuning: hardware ? HARDWARE_TUNING : SOFTWARE_TUNING,
        });
        const next = seededRandom(seed);
        const ids = Array.from({ length: nCtx }, () => Math.floor(next() * vocabSize));
        const expected = gpt2Cpu(config, tensors, ids);
        const decoded: number[][] = [];
        for (const variant of [NO_CACHE, STATIC, paged(blockSize)]) {
          await withDecoder(model, { variant, maxOutputs: nCtx }, async (decoder) => {
            decoder.begin([ids]);
            const logits = await decoder.logits(nCtx);
            const options = { tolerance: TOLERANCE, name: variant.name, width: vocabSize };
            assertClose(logits.flatMap((row) => [...row]), expected, options);
            decoder.begin([ids.slice(0, 1)]);
            decoder.advance(nCtx - 1);
            decoded.push((await decoder.ids(0))[0]!);
            assert.throws(() => decoder.advance(1), { name: "UsageError", message: /would have \d+ tokens/ });
          });
        }
        model.dispose();
        checkpoint.close();
        assert.equal(decoded[0]!.length, nCtx);
        assert.deepEqual(decoded[1], decoded[0]);
        assert.deepEqual(decoded[2], decoded[0]);
      }),
      { numRuns: runs(3), seed: 4 },
    );
  },
);
