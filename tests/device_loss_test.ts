/**
 * A device that is lost at any moment: at a random call of WebGPU, from the first buffer to the last readback. Whatever
 * is under way then ends in one clear error; nothing hangs, nothing panics, no promise is left without a reader, and
 * result files are whole. `KVBENCH_FUZZ=25` tries 200 seeds.
 */
import assert from "node:assert/strict";
import { benchCommand } from "../src/cli/commands/bench.ts";
import { beamSearch } from "../src/engine/beam_search.ts";
import { generate } from "../src/engine/generate.ts";
import { sampleParallel } from "../src/engine/sample_parallel.ts";
import { withDecoder } from "../src/engine/with_decoder.ts";
import { DeviceLostError } from "../src/base/errors.ts";
import { openGpu } from "../src/host/gpu.ts";
import { strategyNames } from "../src/kv/registry.ts";
import { seededRandom } from "../src/base/random.ts";
import { parseResult } from "../src/measure/record/result.ts";
import { tensorShapes } from "../src/checkpoint/tensors.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { GREEDY } from "../src/model/sampling.ts";
import { inScratch, namesIn } from "./cli_support.ts";
import { type ConfigKeys, randomCheckpoint, safetensors } from "./fixtures/checkpoint.ts";
import { runs } from "./fuzz.ts";
import { permitted } from "./permitted.ts";

/** A model that loads in a moment. */
const TINY: ConfigKeys = { n_layer: 2, n_head: 2, n_embd: 8, n_ctx: 32, vocab_size: 61 };
const PROMPT = [1, 2, 3, 4, 5];
/** A run takes less than a second; one that takes this long hangs. */
const HANGS_MS = 60_000;

/** The calls before which the device may be lost. */
const CALLS: readonly (readonly [object, readonly string[]])[] = [
  [GPUDevice.prototype, [
    "createBuffer",
    "createTexture",
    "createBindGroupLayout",
    "createBindGroup",
    "createPipelineLayout",
    "createShaderModule",
    "createComputePipelineAsync",
    "createCommandEncoder",
    "createQuerySet",
    "pushErrorScope",
    "popErrorScope",
  ]],
  [GPUShaderModule.prototype, ["getCompilationInfo"]],
  [GPUQueue.prototype, ["submit", "writeBuffer", "writeTexture", "onSubmittedWorkDone"]],
  [GPUBuffer.prototype, ["mapAsync", "getMappedRange", "unmap", "destroy"]],
  [GPUCommandEncoder.prototype, ["beginComputePass", "copyBufferToBuffer", "copyTextureToBuffer", "finish"]],
  [GPUComputePassEncoder.prototype, ["setPipeline", "setBindGroup", "dispatchWorkgroups", "end"]],
];

/**
 * Runs `body` and loses the device before call number `at` of those that the device sees.
 *
 * @returns The calls that there were, until the loss or in all.
 */
async function losingAt(at: number, body: () => Promise<void>): Promise<number> {
  let calls = 0;
  let device: GPUDevice | undefined;
  const restore: (() => void)[] = [];
  type Method = (this: unknown, ...args: unknown[]) => unknown;
  const replace = (object: object, name: string, make: (original: Method) => Method) => {
    const original: Method = Reflect.get(object, name);
    Reflect.set(object, name, make(original));
    restore.push(() => Reflect.set(object, name, original));
  };
  replace(
    GPUAdapter.prototype,
    "requestDevice",
    (original) =>
      async function (...args) {
        return device = await original.apply(this, args) as GPUDevice;
      },
  );
  for (const [object, names] of CALLS) {
    for (const name of names) {
      replace(object, name, (original) =>
        function (...args) {
          if (device !== undefined && calls++ === at) device.destroy();
          return original.apply(this, args);
        });
    }
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  const hangs = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`It hangs, ${calls} calls after the start`)), HANGS_MS);
  });
  try {
    await Promise.race([body(), hangs]);
  } finally {
    clearTimeout(timer);
    for (const each of restore) each();
  }
  return calls;
}

/** Opens a GPU and a model of its own, and checks that nothing is left on the ledger, whatever happens. */
async function withOwnModel(body: (model: Gpt2) => Promise<void>): Promise<void> {
  const { checkpoint } = await randomCheckpoint(TINY);
  const gpu = await openGpu();
  try {
    const model = await Gpt2.load(gpu, checkpoint);
    try {
      await body(model);
    } finally {
      model.dispose();
    }
    gpu.dispose();
  } finally {
    checkpoint.close();
    gpu.abandon();
    assert.equal(gpu.ledger.current.total, 0, gpu.ledger.summary());
  }
}

/** Runs `bench` over two settings on the model in a folder, without a word. */
async function quietBench(folder: string, path: string): Promise<void> {
  const { log, error } = console;
  Object.assign(console, { log: () => {}, error: () => {} });
  try {
    const args = [
      "--model",
      folder,
      "--prompt-ids",
      "1,2,3",
      "--no-autotune",
      "--runs",
      "1",
      "--warmup",
      "0",
    ];
    await benchCommand().parseAsync([...args, "--sweep", "new-tokens=2,3", "--json", path], { from: "user" });
  } finally {
    Object.assign(console, { log, error });
  }
}

/** Work on a GPU, from opening it to the end. */
const WORK: Readonly<Record<string, () => Promise<void>>> = {
  ...Object.fromEntries(
    strategyNames().map((strategy) => [`generate with ${strategy}`, () =>
      withOwnModel(async (model) => {
        const kvOptions = { growth: "dynamic", block_size: 4 };
        const options = { strategy, kvOptions, nSequences: 1, maxPromptTokens: 5, maxTokens: 25 };
        await withDecoder(model, options, async (decoder) => {
          const request = { prompts: [PROMPT], maxNewTokens: 20, sampling: [GREEDY] };
          const chunks = await Array.fromAsync(generate(decoder, request));
          assert.equal(chunks.flatMap(([ids]) => ids!).length, 20);
          decoder.begin([PROMPT]);
          await decoder.logits();
        });
      })]
    ),
  ),
  "sample in parallel": () =>
    withOwnModel(async (model) => {
      const samplings = [1, 2, 3].map((seed) => ({ temperature: 1, topK: 0, topP: 1, seed }));
      const options = {
        strategy: "paged",
        kvDtype: "f16",
        kvOptions: { block_size: 4 },
        newTokens: 8,
      } as const;
      await sampleParallel(model, { ...options, ids: PROMPT, samplings, onToken: () => true });
    }),
  "search with beams": () =>
    withOwnModel(async (model) => {
      const options = { strategy: "kv-cache", kvDtype: "int8", kvOptions: {}, newTokens: 6 } as const;
      const beams = { nBeams: 3, lengthPenalty: 1, earlyStopping: "false", eos: undefined } as const;
      await beamSearch(model, PROMPT, { ...options, ...beams });
    }),
  "bench": () =>
    inScratch(async (folder) => {
      const { config, tensors } = await randomCheckpoint(TINY);
      const json = { model_type: "gpt2", bos_token_id: 0, eos_token_id: 0, ...TINY };
      await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify(json));
      await Deno.writeFile(`${folder}/model.safetensors`, safetensors(tensors, tensorShapes(config)));
      const results = `${folder}/results`, path = `${results}/r.json`;
      await Deno.mkdir(results);
      let complete = false;
      try {
        await quietBench(folder, path);
        complete = true;
      } finally {
        const names = namesIn(results);
        if (complete || names.length > 0) {
          assert.deepEqual(names, ["r.json"]);
          const result = parseResult(JSON.parse(await Deno.readTextFile(path)), path);
          assert.equal(result.complete, complete);
        }
      }
    }),
};

const seeds = runs(8);
Deno.test(`A device that is lost at a random call ends everything with one clear error (${seeds} seeds)`, {
  ignore: !permitted("read", "write", "env"),
}, async () => {
  const lengths = new Map<string, number>();
  const works = Object.entries(WORK);
  for (let seed = 0; seed < seeds; seed++) {
    const random = seededRandom(seed);
    const [name, work] = works[seed % works.length]!;
    const length = lengths.get(name) ?? await losingAt(Infinity, work);
    lengths.set(name, length);
    const at = Math.floor(random() * length);
    const what = `seed ${seed}: ${name}, lost at call ${at} of ${length}`;
    let lost: unknown;
    await losingAt(at, work).catch((error) => lost = error);
    // What is done may be done: the last calls only free what was made.
    if (lost === undefined) {
      assert.ok(at > 0.8 * length, `${what}: nobody has noticed`);
      continue;
    }
    assert.ok(lost instanceof DeviceLostError, `${what}: ${lost instanceof Error ? lost.stack : lost}`);
    assert.match(lost.message, /^The GPU device was lost \(destroyed\): [^\n]+; begin again$/, what);
  }
});
