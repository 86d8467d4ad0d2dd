/**
 * Continuous batching on the GPU: every request gets the ids that it gets alone, with every kind of memory, however
 * requests come, are forked, preempted, cancelled and ended; and the copies of K and V that this takes.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { checkKvCopy, COPIES } from "../src/check/kv_copy.ts";
import { shuffledRange } from "../src/model/values.ts";
import type { Decoder } from "../src/engine/decoder.ts";
import { GpuExecutor } from "../src/engine/gpu_executor.ts";
import type { KvPolicy } from "../src/kv/policy.ts";
import { pagedAddressing } from "../src/kv/paged/addressing.ts";
import { PAGED_TRAITS, PagedPolicy } from "../src/kv/paged/policy.ts";
import type { Kv, KvNeed } from "../src/kv/strategy_def.ts";
import type { Group, Request } from "../src/engine/scheduler/request.ts";
import { Scheduler } from "../src/engine/scheduler/scheduler.ts";
import { type Preemption, PREEMPTIONS } from "../src/engine/scheduler/scheduler_options.ts";
import type { Dtype } from "../src/formats/registry.ts";
import { prefixKeys } from "../src/kv/prefix_keys.ts";
import { independent } from "../src/kv/slot_copier.ts";
import { seededRandom } from "../src/base/random.ts";
import { IdsCheck } from "../src/simulate/ids_check.ts";
import type { Gpt2 } from "../src/model/gpt2.ts";
import { GREEDY, type Sampling } from "../src/model/sampling.ts";
import { kvNeed, STATIC, variant, withDecoder, withRandomModel } from "./decode_support.ts";
import { AWKWARD } from "./fixtures/checkpoint.ts";
import { assertRight, gpuTest } from "./gpu_support.ts";

const MAX_SEQUENCES = 6;

interface PromptedRequest extends Request {
  readonly ids: readonly number[];
  readonly sampling: Sampling;
}

/** What comes, and when: steps count as time. */
const workload = fc.record({
  requests: fc.array(
    fc.record({
      at: fc.nat({ max: 12 }),
      promptTokens: fc.integer({ min: 1, max: 20 }),
      /** Prompts with one seed begin alike. */
      seed: fc.nat({ max: 1 }),
      newTokens: fc.integer({ min: 1, max: 16 }),
      continuations: fc.constantFrom(1, 1, 2, 3),
      sampled: fc.boolean(),
      cancelAt: fc.option(fc.nat({ max: 30 }), { freq: 5 }),
      endAt: fc.option(fc.nat({ max: 30 }), { freq: 5 }),
    }),
    { minLength: 3, maxLength: 8, size: "max" },
  ),
  preemption: fc.constantFrom<Preemption>(...PREEMPTIONS),
  maxRows: fc.constantFrom(6, 9, 20),
});

type Workload = typeof workload extends fc.Arbitrary<infer W> ? W : never;

/** What requests get alone: by prompt and sampling, computed once. */
class Alone {
  readonly #decoder: Decoder;
  readonly #known = new Map<string, readonly number[]>();

  constructor(decoder: Decoder) {
    this.#decoder = decoder;
  }

  /** The prompt and as many new tokens as the context holds. */
  async ids(prompt: readonly number[], sampling: Sampling): Promise<readonly number[]> {
    const key = JSON.stringify([prompt, sampling]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    this.#decoder.begin([prompt], [sampling]);
    this.#decoder.advance(AWKWARD.n_ctx - prompt.length);
    const [ids] = await this.#decoder.ids(0);
    this.#known.set(key, ids!);
    return ids!;
  }
}

/** One memory with its executor, used for many workloads. */
class Bench {
  readonly #memory: KvPolicy;
  readonly #executor: GpuExecutor<PromptedRequest>;
  readonly #alone: Alone;
  readonly #ended: (() => Promise<void>)[] = [];

  private constructor(memory: KvPolicy, executor: GpuExecutor<PromptedRequest>, alone: Alone) {
    this.#memory = memory;
    this.#executor = executor;
    this.#alone = alone;
  }

  static async create(model: Gpt2, kv: Kv, alone: Alone, kvDtype: Dtype): Promise<Bench> {
    const executor = await GpuExecutor.create<PromptedRequest>(model, kv, {
      maxSequences: MAX_SEQUENCES,
      maxRows: Math.max(20, kv.policy.traits.keeps !== "nothing" ? 0 : kv.policy.usage().capacity),
      kvDtype,
      promptOf: ({ ids }) => ids,
      samplingOf: ({ sampling }, index) => ({ ...sampling, seed: sampling.seed + index }),
      onEnded: ({ group, index }, ids) => bench.#ended.push(() => bench.#check(group, index, ids)),
    });
    const bench = new Bench(kv.policy, executor, alone);
    return bench;
  }

  /** Runs a workload and compares every sequence that got all its tokens. */
  async run({ requests, preemption, maxRows }: Workload): Promise<void> {
    const memory = this.#memory, executor = this.#executor;
    const rows = memory.traits.keeps !== "nothing" ? maxRows : Math.max(maxRows, memory.usage().capacity);
    const options = { nCtx: AWKWARD.n_ctx, maxSequences: MAX_SEQUENCES, maxRows: rows, preemption };
    const scheduler = new Scheduler<PromptedRequest>(memory, options);
    const groups = new Map<number, Group>();
    let nWhole = 0;
    for (let now = 0;; now++) {
      requests.forEach((each, id) => {
        if (each.at === now) {
          const wanted = requestOf(each, id, memory.blockSize);
          if (scheduler.refusal(wanted) === undefined) groups.set(id, scheduler.submit(wanted));
        }
        if (each.cancelAt === now) scheduler.cancel(id);
        const first = groups.get(id)?.sequences[0];
        if (each.endAt === now && first) scheduler.end(first);
      });
      const step = scheduler.step();
      if (step) {
        nWhole += step.ended.length;
        await executor.run(step);
      } else if (now > 30) break;
    }
    await executor.runner.settle();
    assert.equal(this.#ended.length, nWhole);
    for (const check of this.#ended.splice(0)) await check();
    assert.equal(memory.nFree, memory.usage().capacity);
  }

  dispose(): void {
    this.#executor.runner.dispose();
  }

  async #check(group: Group, index: number, ids: readonly number[]): Promise<void> {
    const { ids: prompt, sampling } = group.request as PromptedRequest;
    const alone = await this.#alone.ids(prompt, { ...sampling, seed: sampling.seed + index });
    assert.deepEqual(ids, alone.slice(0, ids.length));
  }
}

function requestOf(each: Workload["requests"][number], id: number, blockSize?: number): PromptedRequest {
  const { promptTokens, newTokens, continuations, seed, sampled } = each;
  const random = seededRandom(seed);
  const ids = Array.from({ length: promptTokens }, () => Math.floor(random() * AWKWARD.vocab_size));
  const sampling = sampled ? { temperature: 1, topK: 0, topP: 1, seed: id } : GREEDY;
  const prefix = blockSize === undefined ? {} : { prefix: prefixKeys(ids, blockSize) };
  return { id, promptTokens, newTokens, continuations, ids, sampling, ...prefix };
}

/** Memories so small that requests wait, and are preempted where they can be. */
const MEMORIES: readonly (readonly [name: string, make: (need: KvNeed) => Kv])[] = [
  ...[1, 3, 4].map((blockSize) =>
    [`paged by ${blockSize}, shuffled`, (need: KvNeed): Kv => {
      const nBlocks = Math.ceil(56 / blockSize);
      const order = shuffledRange(nBlocks, blockSize);
      return {
        strategy: { name: "paged", traits: PAGED_TRAITS },
        policy: new PagedPolicy({ nBlocks, blockSize, swapBlocks: nBlocks, watermark: 0, order }),
        addressing: pagedAddressing(need, blockSize),
      };
    }] as const
  ),
  ...["no-cache", "kv-cache", "max", "pow2", "oracle"].map((name) =>
    [name, (need: KvNeed) =>
      variant(name, { allocator: name === "oracle" ? "first-fit" : "buddy" }).make({
        ...need,
        maxRows: 130,
        budgetTokens: 130,
      })] as const
  ),
  [
    "kv-cache, dynamic",
    (need: KvNeed) => variant("kv-cache", { growth: "dynamic" }).make({ ...need, budgetTokens: 200 }),
  ],
];

/** Runs random workloads on memories of one storage type. */
async function checkAll(
  gpu: Gpt2["gpu"],
  memories: typeof MEMORIES,
  { kvDtype, ...runs }: { readonly kvDtype: Dtype; readonly numRuns: number; readonly seed: number },
): Promise<void> {
  await withRandomModel(gpu, async (model) => {
    await withDecoder(model, { variant: STATIC, kvDtype }, async (decoder) => {
      const alone = new Alone(decoder);
      for (const [name, make] of memories) {
        const bench = await Bench.create(model, make(kvNeed(model, MAX_SEQUENCES)), alone, kvDtype);
        try {
          await fc.assert(
            fc.asyncProperty(workload, async (each) => {
              await bench.run(each).catch((error) => {
                throw new Error(`${name}, ${kvDtype}`, { cause: error });
              });
            }),
            { ...runs, endOnFailure: true },
          );
        } finally {
          bench.dispose();
        }
      }
    });
  });
}

gpuTest("Every request gets the ids that it gets alone, with every memory and preemption", async (gpu) => {
  await checkAll(gpu, MEMORIES, { kvDtype: "f32", numRuns: 10, seed: 6 });
});

gpuTest("Blocks in float16 and int8 are copied and swapped as they are stored", async (gpu) => {
  for (const kvDtype of ["f16", "int8"] as const) {
    await checkAll(gpu, MEMORIES.slice(1, 2), { kvDtype, numRuns: 4, seed: 7 });
  }
});

gpuTest("SlotCopier copies slots of every layer, in order where copies depend on each other", async (gpu) => {
  assert.deepEqual(independent(COPIES).map((part) => part.length), [2, 1, 1]);
  for (const dtype of ["f32", "f16", "int8"] as const) {
    const shape = { nHead: 3, a4: 6, nSequences: 1, dtype, texels: false };
    assertRight(await checkKvCopy(gpu, shape));
  }
});

gpuTest("IdsCheck lets equal ids pass, and refuses an id that no tie excuses", async (gpu) => {
  await withRandomModel(gpu, async (model) => {
    const prompt = [5, 6, 7];
    const ids = await withDecoder(model, { variant: STATIC }, async (decoder) => {
      decoder.begin([prompt]);
      decoder.advance(8);
      return (await decoder.ids(0))[0]!;
    });
    const check = new IdsCheck();
    check.add({ request: 1, index: 0, ids });
    assert.deepEqual(await check.finish(model, "max", "f32"), { compared: 0, ties: 0 });
    check.add({ request: 1, index: 0, ids });
    check.add({ request: 2, index: 0, ids });
    assert.deepEqual(await check.finish(model, "pow2", "f32"), { compared: 2, ties: 0 });
    check.add({ request: 1, index: 0, ids: ids.with(6, ids[6] === 9 ? 10 : 9) });
    await assert.rejects(check.finish(model, "paged", "f32"), {
      name: "KvbenchError",
      message: /^The policies disagree.*: at token 6 of request 1, paged chose \d+ and the first policy \d+/,
    });
  });
});
