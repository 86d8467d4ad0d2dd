/**
 * The strategy `offload`: layers that wait in host memory give the ids and logits of a cache on the GPU, and the ledger
 * counts resident layers and two buffers.
 */
import assert from "node:assert/strict";
import { KV_DTYPES } from "../src/formats/registry.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { HARDWARE_TUNING, SOFTWARE_TUNING } from "../src/model/tuning.ts";
import { ignore, kvbench, RANDOM_SMALL } from "./cli_support.ts";
import { STATIC, type Variant, variant, withDecoder } from "./decode_support.ts";
import { randomCheckpoint } from "./fixtures/checkpoint.ts";
import { gpuTest } from "./gpu_support.ts";

/** Rows of 384 and 96 bytes, which are no multiples of 256; contexts longer than a step. */
const KEYS = { n_layer: 5, n_head: 3, n_embd: 48, n_inner: 64, n_ctx: 200, vocab_size: 131 };
const PROMPTS = [
  Array.from({ length: 150 }, (_, i) => i % 131),
  [7],
  Array.from({ length: 17 }, (_, i) => i),
];
const READS = { read: [RANDOM_SMALL] };

for (const tuning of [SOFTWARE_TUNING, HARDWARE_TUNING]) {
  gpuTest(`Offloaded layers give what a cache on the GPU does, bit for bit (${tuning.name})`, async (gpu) => {
    const { checkpoint } = await randomCheckpoint(KEYS);
    const model = await Gpt2.load(gpu, checkpoint, { tuning });
    checkpoint.close();
    for (const kvDtype of tuning === SOFTWARE_TUNING ? KV_DTYPES : ["int8"] as const) {
      for (const [nSequences, residents] of [[1, [3]], [3, [1, 5]]] as const) {
        const decode = (variant: Variant) =>
          withDecoder(model, { variant, kvDtype, nSequences }, async (decoder) => {
            const prompts = PROMPTS.slice(0, nSequences);
            // In parts that a step of `offload` holds, so that kernels add in one order.
            decoder.begin(prompts.map((ids) => ids.slice(0, 128)));
            const all = await decoder.logits();
            decoder.append(prompts.map(() => [1, 2, 3]));
            decoder.advance(20); // not awaited
            await decoder.advance(10);
            const ids = await decoder.ids(0);
            const last = await decoder.logits();
            decoder.begin(prompts); // the first one in several steps
            decoder.advance(3);
            ids.push(...await decoder.ids(0));
            return { ids, logits: [...all, ...last] };
          });
        const expected = await decode(STATIC);
        for (const resident_layers of residents) {
          const offloaded = await decode(variant("offload", { resident_layers }));
          assert.deepEqual(
            offloaded,
            expected,
            `${kvDtype}, ${nSequences} sequences, ${resident_layers} layers`,
          );
        }
      }
    }
    model.dispose();
  });
}

gpuTest(
  "The ledger counts the resident layers and two buffers, and what comes back as staging",
  async (gpu) => {
    const { checkpoint, config } = await randomCheckpoint(KEYS);
    const model = await Gpt2.load(gpu, checkpoint);
    checkpoint.close();
    const before = gpu.ledger.current, layer = 2 * 208 * 2 * config.nEmbd * 4; // whole groups of 16 tokens
    await withDecoder(
      model,
      { variant: variant("offload", { resident_layers: 1 }), nSequences: 2 },
      ({ runner }) => {
        assert.equal(runner.pool.allocatedBytes, layer);
        assert.equal(runner.kvBytes, 3 * layer);
        assert.equal(gpu.ledger.current.kv - before.kv, 3 * layer);
        assert.ok(gpu.ledger.current.staging > before.staging);
      },
    );
    await withDecoder(
      model,
      { variant: variant("offload", { resident_layers: 5 }), nSequences: 2 },
      ({ runner }) => {
        assert.equal(runner.kvBytes, 5 * layer);
      },
    );
    model.dispose();
  },
);

Deno.test("Several continuations are refused before any work, since host memory is not copied", {
  ignore,
}, async () => {
  const generate = ["generate", "--prompt-ids", "1,2,3", "--output", "ids", "--strategy", "offload"];
  for (
    const args of [
      [...generate, "--max-new-tokens", "9", "--num-return-sequences", "2"],
      [...generate, "--max-new-tokens", "9", "--num-beams", "2"],
      ["serve-sim", "--dry-run", "--policies", "paged,offload", "--num-return-sequences", "2"],
    ]
  ) {
    const { code, stderr } = await kvbench([...args, "--model", RANDOM_SMALL], READS);
    assert.equal(code, 2);
    assert.match(stderr, /^kvbench: offload cannot fork sequences, since its K and V in host memory are not/);
  }
});
