/**
 * The strategy `paged-gather`: attention over gathered blocks is that over a contiguous cache, bit for bit, for every block
 * size, storage type and storage; and the scratch is counted.
 */
import assert from "node:assert/strict";
import { KV_DTYPES } from "../src/formats/registry.ts";
import { makeKv } from "../src/kv/strategy_def.ts";
import { chooseKv } from "../src/kv/registry.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { HARDWARE_TUNING, SOFTWARE_TUNING } from "../src/model/tuning.ts";
import { type Variant, variant, withDecoder } from "./decode_support.ts";
import { randomCheckpoint } from "./fixtures/checkpoint.ts";
import { gpuTest } from "./gpu_support.ts";

/** Heads of 16 values, which are whole texels in every type. */
const KEYS = { n_layer: 2, n_head: 3, n_embd: 48, n_inner: 64, n_ctx: 70, vocab_size: 131 };
const PROMPTS = [Array.from({ length: 33 }, (_, i) => 3 * i), [7], Array.from({ length: 17 }, (_, i) => i)];

/** Slots of a contiguous cache in groups as blocks have them, so that kernels add in one order. */
function contiguous(blockSize: number): Variant {
  return {
    name: "kv-cache",
    make: (need) => {
      const kv = makeKv(chooseKv("kv-cache"), need);
      const { addressing: { slotGroup } } = makeKv(chooseKv("paged", { block_size: blockSize }), need);
      return { ...kv, addressing: { ...kv.addressing, slotGroup } };
    },
  };
}

for (const tuning of [SOFTWARE_TUNING, HARDWARE_TUNING]) {
  gpuTest(
    `Gathered blocks give the logits of a contiguous cache, bit for bit (${tuning.name})`,
    async (gpu) => {
      const { checkpoint } = await randomCheckpoint(KEYS);
      const model = await Gpt2.load(gpu, checkpoint, { tuning });
      checkpoint.close();
      // What hardware's tuning changes is how attention reads, whatever blocks were gathered.
      const [dtypes, blockSizes] = tuning === SOFTWARE_TUNING
        ? [KV_DTYPES, [1, 7, 16]]
        : [["f32", "int8"], [7]];
      for (const kvDtype of dtypes) {
        for (const blockSize of blockSizes) {
          const decode = (variant: Variant, nSequences: number) =>
            withDecoder(model, { variant, kvDtype, nSequences }, async (decoder) => {
              const prompts = PROMPTS.slice(0, nSequences), all: Float32Array[] = [];
              decoder.begin(prompts);
              all.push(...await decoder.logits());
              decoder.begin(prompts);
              decoder.advance(30); // through several submissions
              const ids = await decoder.ids(prompts.map(({ length }) => length));
              all.push(...await decoder.logits());
              return { ids, logits: all };
            });
          for (const nSequences of [1, 3]) {
            const gathered = await decode(variant("paged-gather", { block_size: blockSize }), nSequences);
            assert.deepEqual(
              gathered,
              await decode(contiguous(blockSize), nSequences),
              `${kvDtype} by ${blockSize}, ${nSequences} sequences`,
            );
          }
        }
      }
      model.dispose();
    },
  );
}

gpuTest("The ledger counts what blocks are gathered to: one layer's regions of whole blocks", async (gpu) => {
  const { checkpoint, config } = await randomCheckpoint(KEYS);
  const model = await Gpt2.load(gpu, checkpoint);
  checkpoint.close();
  const before = gpu.ledger.current.kv, row = 2 * config.nEmbd * 4;
  const gathering = variant("paged-gather", { block_size: 16 });
  await withDecoder(model, { variant: gathering, nSequences: 3, maxTokens: 50 }, ({ runner }) => {
    assert.equal(runner.pool.allocatedBytes, config.nLayer * 3 * 64 * row);
    assert.equal(runner.kvBytes - runner.pool.allocatedBytes, 3 * 64 * row);
    assert.equal(gpu.ledger.current.kv - before, runner.kvBytes);
  });
  model.dispose();
});
