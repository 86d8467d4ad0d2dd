/**
 * The core property: every strategy emits the same ids and nearly the same logits, whatever the prompt's length, the
 * order of blocks, the number of sequences, or how the steps are cut into calls. And its memory is what it says.
 */
import assert from "node:assert/strict";
import { Decoder } from "../src/engine/decoder.ts";
import { openDecoder } from "../src/engine/with_decoder.ts";
import { strategyNamed, strategyNames } from "../src/kv/registry.ts";
import { seededRandom } from "../src/base/random.ts";
import type { Gpt2 } from "../src/model/gpt2.ts";
import {
  DYNAMIC,
  kvInUse,
  kvNeed,
  NO_CACHE,
  paged,
  STATIC,
  type Variant,
  variant as variantOf,
  withDecoder,
  withRandomModel,
} from "./decode_support.ts";
import { AWKWARD, type ConfigKeys } from "./fixtures/checkpoint.ts";
import { assertClose, gpuTest } from "./gpu_support.ts";

/**
 * Strategies differ in the order of sums alone (prefill against decode kernels): a few roundings of logits of up
 * to 9, three layers deep.
 */
const TOLERANCE = 5e-5;
const BLOCK_SIZES = [1, 7, 16];
const RESERVING = ["max", "pow2", "oracle"].map((name) => variantOf(name));
const KEEPING = [STATIC, DYNAMIC, ...BLOCK_SIZES.map(paged), ...RESERVING];

/** The same widths without padding, where bytes are those of the formula in `docs/measuring.md`. */
const UNPADDED: ConfigKeys = { ...AWKWARD, n_head: 4, n_embd: 16, n_inner: 32 };

/** A prompt of random ids. */
function promptOf(length: number, seed = length): number[] {
  const next = seededRandom(seed);
  return Array.from({ length }, () => Math.floor(next() * AWKWARD.vocab_size));
}

/** What a prompt gives: logits after it, ids up to the end of the context, logits after those. */
interface Outcome {
  readonly first: Float32Array;
  readonly ids: readonly number[];
  readonly last: Float32Array;
}

async function outcome(decoder: Decoder, prompt: readonly number[]): Promise<Outcome> {
  decoder.begin([prompt]);
  const [first] = await decoder.logits();
  decoder.begin([prompt]);
  decoder.advance(AWKWARD.n_ctx - prompt.length);
  const [ids] = await decoder.ids(prompt.length);
  const [last] = await decoder.logits();
  return { first: first!, ids: ids!, last: last! };
}

gpuTest(
  "All strategies agree at prompts of a block, one token less and one more, up to the end",
  async (gpu) => {
    await withRandomModel(gpu, async (model) => {
      const lengths = new Set(BLOCK_SIZES.flatMap((size) => [size - 1, size, size + 1]).filter(Boolean));
      const outcomes = (variant: Variant) =>
        withDecoder(model, { variant }, async (decoder) => {
          const all = new Map<number, Outcome>();
          for (const length of lengths) all.set(length, await outcome(decoder, promptOf(length)));
          return all;
        });
      const wanted = await outcomes(NO_CACHE);
      for (const variant of KEEPING) {
        for (const [length, { first, ids, last }] of await outcomes(variant)) {
          const name = `${variant.name}, prompt of ${length}`;
          const expected = wanted.get(length)!;
          assertClose(first, expected.first, { tolerance: TOLERANCE, name: `${name}, first logits` });
          assert.deepEqual(ids, expected.ids, name);
          assertClose(last, expected.last, { tolerance: TOLERANCE, name: `${name}, last logits` });
        }
      }
    });
  },
);

gpuTest("Sequences that are decoded together give what each gives alone", async (gpu) => {
  await withRandomModel(gpu, async (model) => {
    const prompts = [promptOf(15), promptOf(3), promptOf(17)];
    const steps = AWKWARD.n_ctx - 17;
    const alone = await withDecoder(model, { variant: NO_CACHE }, async (decoder) => {
      const all: number[][] = [];
      for (const prompt of prompts) {
        decoder.begin([prompt]);
        decoder.advance(steps);
        all.push(...await decoder.ids(0));
      }
      return all;
    });
    for (const variant of [NO_CACHE, ...KEEPING]) {
      await withDecoder(model, { variant, nSequences: 3 }, async (decoder) => {
        decoder.begin(prompts);
        decoder.advance(steps);
        assert.deepEqual(await decoder.ids(0), alone, variant.name);
        assert.deepEqual(decoder.lengths, [15, 3, 17].map((length) => length + steps));
      });
    }
  });
});

gpuTest("Decoder.advance() gives the same ids however the steps are cut", async (gpu) => {
  await withRandomModel(gpu, async (model) => {
    for (const variant of [NO_CACHE, ...KEEPING]) {
      await withDecoder(model, { variant }, async (decoder) => {
        const runs: number[][] = [];
        for (const chunks of [[33], [1, 15, 17], [16, 16, 1], Array(33).fill(1)]) {
          decoder.begin([promptOf(3)]);
          for (const steps of chunks) decoder.advance(steps);
          runs.push(...await decoder.ids(3));
        }
        assert.equal(runs[0]?.length, 33);
        for (const run of runs) assert.deepEqual(run, runs[0], variant.name);
      });
    }
  });
});

gpuTest("A decoder that begins again is not touched by what it did before", async (gpu) => {
  await withRandomModel(gpu, async (model) => {
    for (const variant of [NO_CACHE, ...KEEPING]) {
      await withDecoder(model, { variant }, async (decoder) => {
        const before = await outcome(decoder, promptOf(6));
        await outcome(decoder, promptOf(30));
        assert.deepEqual(await outcome(decoder, promptOf(6)), before, variant.name);
        decoder.reset();
        assert.equal(kvInUse(decoder).usedBytes, 0);
        assert.equal(kvInUse(decoder).tokens, 0);
      });
    }
  });
});

/** Tokens of K and V that a variant owns and has allocated in all, for sequences of these lengths. */
type Reservation = (lengths: readonly number[]) => { reserved: number; allocated: number };

const CAPACITY = 24;
const RESERVATIONS: readonly (readonly [Variant, Reservation])[] = [
  [NO_CACHE, (lengths) => same(lengths.length * CAPACITY)],
  [STATIC, (lengths) => same(lengths.length * CAPACITY)],
  [DYNAMIC, (lengths) => same(lengths.length * Math.max(...lengths))],
  ...BLOCK_SIZES.map((blockSize): readonly [Variant, Reservation] => {
    const whole = (tokens: number) => Math.ceil(tokens / blockSize) * blockSize;
    return [paged(blockSize), (lengths) => ({
      reserved: lengths.reduce((sum, length) => sum + whole(length), 0),
      allocated: lengths.length * whole(CAPACITY),
    })];
  }),
];

function same(tokens: number): ReturnType<Reservation> {
  return { reserved: tokens, allocated: tokens };
}

/** Checks what a policy and its pool say against the formulas, and the ledger against the pool. */
function checkUsage(
  decoder: Decoder,
  model: Gpt2,
  expected: { lengths: readonly number[]; reservation: Reservation; width: number },
): void {
  const usage = kvInUse(decoder);
  const { lengths, reservation, width } = expected;
  const layersKept = decoder.runner.policy.traits.keeps === "nothing" ? 1 : model.config.nLayer;
  const tokens = lengths.reduce((sum, length) => sum + length, 0);
  const bytesPerToken = 2 * layersKept * width * 4;
  const { reserved, allocated } = reservation(lengths);
  assert.equal(usage.layersKept, layersKept);
  assert.equal(usage.tokens, tokens);
  assert.equal(usage.usedBytes, bytesPerToken * tokens);
  assert.equal(usage.reservedBytes, bytesPerToken * reserved);
  assert.equal(usage.allocatedBytes, bytesPerToken * allocated);
  assert.equal(model.gpu.ledger.current.kv, usage.allocatedBytes, "the ledger's K and V");
}

for (const [variant, reservation] of RESERVATIONS) {
  for (const keys of [UNPADDED, AWKWARD]) {
    const padded = keys === AWKWARD;
    const title = `${variant.name}, ${padded ? "heads padded from 6 to 8" : "nothing padded"}`;
    gpuTest(`K/V bytes are those of the formula and of the ledger (${title})`, async (gpu) => {
      await withRandomModel(gpu, async (model) => {
        const width = padded ? keys.n_head * 8 : keys.n_embd;
        const need = { variant, nSequences: 2, maxTokens: CAPACITY };
        await withDecoder(model, need, async (decoder) => {
          decoder.begin([promptOf(7), promptOf(16)]);
          let lengths = [7, 16];
          for (const steps of [1, 1, 6]) {
            decoder.advance(steps);
            // The last token of each sequence was chosen, and its K and V are not computed yet.
            lengths = lengths.map((length) => length + steps);
            checkUsage(decoder, model, { lengths: lengths.map((length) => length - 1), reservation, width });
          }
          await decoder.logits();
          checkUsage(decoder, model, { lengths, reservation, width });
        });
        assert.equal(gpu.ledger.current.kv, 0, "nothing is left after dispose()");
      }, keys);
    });
  }
}

gpuTest(
  "A dynamic cache gives its memory back on reset and has two sizes of one layer at its peak",
  async (gpu) => {
    await withRandomModel(gpu, async (model) => {
      await withDecoder(model, { variant: DYNAMIC }, async (decoder) => {
        decoder.begin([promptOf(20)]);
        decoder.advance(1);
        gpu.ledger.resetPeak();
        decoder.advance(1);
        const row = 2 * model.dims.a4 * 16;
        // Layers grow one after another, so the peak is the larger cache and one layer's old buffer.
        assert.equal(gpu.ledger.peak.kv, row * (3 * 21 + 20));
        await gpu.fence.wait();
        decoder.reset();
        assert.equal(gpu.ledger.current.kv, 0);
      });
    });
  },
);

gpuTest("A sequence that doesn't fit is refused by every part that could hold it", async (gpu) => {
  await withRandomModel(gpu, async (model) => {
    const { nCtx } = model.config;
    await assert.rejects(withDecoder(model, { variant: NO_CACHE, maxTokens: nCtx + 1 }, () => {}), {
      name: "UsageError",
      message:
        "A sequence of 41 tokens does not fit: the model's context is 40 tokens, the positions that it has learned",
    });
    const options = { nSequences: 2, maxPromptTokens: 20, maxTokens: nCtx };
    const small = [
      variantOf("kv-cache", { growth: "static", kv_capacity_tokens: 9 }),
      variantOf("kv-cache", { growth: "dynamic", kv_capacity_tokens: 9 }),
      variantOf("paged", { block_size: 4, kv_capacity_tokens: 8 }),
    ];
    for (const { make } of small) {
      const decoder = await Decoder.create(model, make(kvNeed(model, 2)), options);
      decoder.begin([promptOf(9), promptOf(3)]);
      assert.throws(() => decoder.advance(3), { name: "KvbenchError", message: /^Cannot / });
      decoder.dispose();
    }
  });
});

gpuTest("A decoder refuses what it was not made for", async (gpu) => {
  await withRandomModel(gpu, async (model) => {
    const decoder = await openDecoder(model, {
      strategy: "kv-cache",
      nSequences: 1,
      maxPromptTokens: 10,
      maxTokens: 12,
    });
    const refused = (message: RegExp) => ({ name: "UsageError", message });
    assert.throws(
      () => decoder.begin([[]]),
      refused(/^A prompt of 0 tokens: this decoder takes from 1 to 10$/),
    );
    assert.throws(() => decoder.begin([promptOf(11)]), refused(/^A prompt of 11 tokens/));
    assert.throws(() => decoder.begin([promptOf(3), promptOf(3)]), refused(/^There are 2 prompts/));
    decoder.begin([promptOf(10)]);
    assert.throws(() => decoder.append([promptOf(3)]), refused(/^Sequence 0 would have 13 tokens/));
    assert.throws(() => decoder.advance(3), refused(/^Sequence 0 would have 13 tokens/));
    decoder.begin([promptOf(4)]);
    await decoder.logits();
    await assert.rejects(
      decoder.logits(),
      refused(/^Sequence 0 has 0 tokens left to compute: expected at least 1/),
    );
    assert.throws(() => decoder.advance(1), refused(/^Sequence 0 has 0 tokens left/));
    decoder.dispose();
  });
});

gpuTest("A strategy whose memory can't be had leaves nothing behind", async (gpu) => {
  await withRandomModel(gpu, async (model) => {
    const { total } = gpu.ledger.current;
    const tooMany = Math.ceil(gpu.device.limits.maxBufferSize / (2 * model.dims.a4 * 16)) + 1;
    // What keeps some tokens does not grow with the sequence.
    const reserving = strategyNames().filter((name) => strategyNamed(name).traits.keeps !== "some");
    for (const name of reserving) {
      const kv = variantOf(name, { allocator: "first-fit", block_size: 256 }).make(kvNeed(model, 1, tooMany));
      const options = { nSequences: 1, maxPromptTokens: 1, maxTokens: 2 };
      await assert.rejects(Decoder.create(model, kv, options), {
        name: "KvbenchError",
        message: /^Cannot create buffer "kv/,
      });
      assert.equal(gpu.ledger.current.total, total);
    }
  });
});
