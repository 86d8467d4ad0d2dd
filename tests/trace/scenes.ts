/**
 * What the golden trace shows: models, strategies and schedulers, driven through the functions that create them. The
 * only file of the trace that knows names of kvbench.
 */
import { GpuExecutor } from "../../src/engine/gpu_executor.ts";
import { Scheduler } from "../../src/engine/scheduler/scheduler.ts";
import { type Dtype, KV_DTYPES, WEIGHT_DTYPES } from "../../src/formats/registry.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import { openGpu } from "../../src/host/gpu.ts";
import { openDecoder } from "../../src/engine/with_decoder.ts";
import { chooseKv } from "../../src/kv/registry.ts";
import { type KvOptions, makeKv } from "../../src/kv/strategy_def.ts";
import { type Gpt2Config, parseConfig } from "../../src/checkpoint/config.ts";
import { Gpt2 } from "../../src/model/gpt2.ts";
import { GREEDY } from "../../src/model/sampling.ts";
import { SyntheticCheckpoint } from "../../src/checkpoint/synthetic.ts";
import {
  BROADCAST_TUNING,
  HARDWARE_TUNING,
  SOFTWARE_TUNING,
  SUBGROUP_TUNING,
  type Tuning,
} from "../../src/model/tuning.ts";
import { fakeWebGpu, type Trace, type TraceEvent } from "./fake_gpu.ts";

/** Part of a scene: what the ledger holds after it, and what the GPU was asked for. */
export interface Take {
  readonly name: string;
  /** Bytes by category, alive and at most. */
  readonly bytes: string;
  readonly events: readonly TraceEvent[];
}

/** What goes into one section of a file. */
export interface Scene {
  readonly file: string;
  readonly title: string;
  readonly takes: readonly Take[];
}

/** Small, and large enough for every kernel of the defaults: a head of 128 output tiles and more, texels in int8. */
export const CONFIG: Gpt2Config = parseConfig({
  vocab_size: 600,
  n_positions: 64,
  n_embd: 64,
  n_head: 4,
  n_layer: 2,
  bos_token_id: 0,
  eos_token_id: 0,
}, "the traced model");

/** Widths that are padded, heads in int8 that fill no texel, and a vocabulary for shards of the token embedding. */
const PADDED = parseConfig({
  vocab_size: 601,
  n_positions: 64,
  n_embd: 18,
  n_head: 3,
  n_inner: 70,
  n_layer: 1,
  bos_token_id: 0,
  eos_token_id: 0,
}, "the traced model");
/** Bytes of a shard of its token embedding in int8. */
const SHARD_BYTES = 8192;

/** The second sequence's prompt ends within a tile; the first one's next token needs a new block. */
const PROMPTS = [range(16), range(5)];
const MAX_TOKENS = 32, BLOCK_SIZE = 16;

const TUNINGS: readonly Tuning[] = [SOFTWARE_TUNING, HARDWARE_TUNING];

const STRATEGIES: readonly { readonly name: string; readonly options: KvOptions; readonly title: string }[] =
  [
    { name: "no-cache", options: {}, title: "no-cache" },
    { name: "kv-cache", options: { growth: "static" }, title: "kv-cache-static" },
    { name: "kv-cache", options: { growth: "dynamic" }, title: "kv-cache-dynamic" },
    { name: "paged", options: { block_size: BLOCK_SIZE }, title: "paged" },
  ];

/** Traces all scenes; `trace` has every pipeline then. */
export async function traceScenes(trace: Trace): Promise<Scene[]> {
  const scenes: Scene[] = [];
  for (const tuning of TUNINGS) {
    for (const weightsDtype of WEIGHT_DTYPES) {
      await withModel(trace, { config: CONFIG, tuning, weightsDtype }, async (model, loading) => {
        const title = `${tuning.name}, weights ${weightsDtype}`;
        scenes.push({ file: "weights", title, takes: [loading] });
        const kvDtypes = weightsDtype === "f32" ? [...KV_DTYPES, "int8/int4"] : ["f32", "f16", "int8"];
        for (const strategy of STRATEGIES) {
          for (const kvDtype of kvDtypes) scenes.push(await decoding(trace, model, { ...strategy, kvDtype }));
        }
        if (weightsDtype !== "f32") return;
        scenes.push(await sampling(trace, model));
        if (tuning === SOFTWARE_TUNING) scenes.push(...await serving(trace, model));
      });
    }
  }
  for (const tuning of TUNINGS) {
    const padded = { config: PADDED, tuning, weightsDtype: "int8", maxBindingBytes: SHARD_BYTES } as const;
    await withModel(trace, padded, async (model, loading) => {
      const { takes, title } = await decoding(trace, model, { ...STRATEGIES[1]!, kvDtype: "int8" });
      scenes.push({ file: "padded", title: `${tuning.name}, ${title}`, takes: [loading, ...takes] });
    });
  }
  for (const tuning of [SUBGROUP_TUNING, BROADCAST_TUNING]) {
    await withModel(trace, { config: CONFIG, tuning, weightsDtype: "f32" }, async (model) => {
      const scene = await decoding(trace, model, { ...STRATEGIES[1]!, kvDtype: "f32" });
      scenes.push({ ...scene, file: "subgroups", title: `${tuning.name}, ${scene.title}` });
    });
  }
  return scenes;
}

function usesSubgroups({ subgroups, broadcastRows }: Tuning): boolean {
  return subgroups || broadcastRows;
}

/** Opens a device, loads the model on it, and frees both. */
async function withModel(
  trace: Trace,
  { config, ...options }: {
    readonly config: Gpt2Config;
    readonly tuning: Tuning;
    readonly weightsDtype: Dtype;
    readonly maxBindingBytes?: number;
  },
  use: (model: Gpt2, loading: Take) => Promise<void>,
): Promise<void> {
  Object.defineProperty(navigator, "gpu", {
    configurable: true,
    value: fakeWebGpu(trace, usesSubgroups(options.tuning) ? ["subgroups"] : []),
  });
  const gpu = await openGpu({ webgpu: "deno" });
  trace.restart();
  gpu.ledger.resetPeak();
  const model = await Gpt2.load(gpu, new SyntheticCheckpoint("traced", config, 1), options);
  await use(model, take(trace, gpu, "load"));
  model.dispose();
  gpu.dispose();
}

/** One prefill and one step of two sequences with a strategy. */
async function decoding(
  trace: Trace,
  model: Gpt2,
  { name, options, title, kvDtype }: typeof STRATEGIES[number] & { readonly kvDtype: Dtype },
): Promise<Scene> {
  const { gpu, tuning, weightsDtype } = model;
  trace.restart();
  gpu.ledger.resetPeak();
  const decoder = await openDecoder(model, {
    strategy: name,
    kvOptions: options,
    kvDtype,
    nSequences: PROMPTS.length,
    maxPromptTokens: 16,
    maxTokens: MAX_TOKENS,
  });
  const takes = [take(trace, gpu, "create")];
  decoder.begin(PROMPTS);
  decoder.advance(1);
  takes.push(take(trace, gpu, "prefill"));
  decoder.advance(1);
  takes.push(take(trace, gpu, "decode"));
  decoder.dispose();
  return { file: `${tuning.name}-${title}`, title: `weights ${weightsDtype}, K/V ${kvDtype}`, takes };
}

/** A step of three sequences, which are too many for the kernels of one row, and chosen by sampling. */
async function sampling(trace: Trace, model: Gpt2): Promise<Scene> {
  const { gpu, tuning } = model;
  trace.restart();
  gpu.ledger.resetPeak();
  const decoder = await openDecoder(model, {
    strategy: "kv-cache",
    nSequences: 3,
    maxPromptTokens: 2,
    maxTokens: 8,
  });
  const sampled = [GREEDY, { temperature: 0.5, topK: 7, topP: 0.75, seed: 11 }, GREEDY];
  decoder.begin([[1], [2], [3, 4]], sampled);
  decoder.advance(1);
  trace.take();
  decoder.advance(1);
  const takes = [take(trace, gpu, "decode")];
  decoder.dispose();
  return { file: "sampling", title: `${tuning.name}, three sequences, sampled`, takes };
}

/** How requests are served: from which memory, and what happens where it runs out. */
const SERVED = [
  { policy: "no-cache", kvDtype: "f32", budgetTokens: 64 },
  { policy: "oracle", kvDtype: "f32", budgetTokens: 128 },
  { policy: "paged", kvDtype: "int8", budgetTokens: 24 },
] as const;

/** A scheduler's steps for requests that join, fork, and are swapped out where blocks run out. */
async function serving(trace: Trace, model: Gpt2): Promise<Scene[]> {
  const { gpu, config: { nCtx, nLayer } } = model;
  const scenes: Scene[] = [];
  for (const { policy, kvDtype, budgetTokens } of SERVED) {
    trace.restart();
    gpu.ledger.resetPeak();
    const maxRows = policy === "no-cache" ? 128 : 16;
    const kv = makeKv(chooseKv(policy, { block_size: 4, allocator: "first-fit" }), {
      ...{
        nSequences: 4,
        nLayer,
        nCtx,
        maxTokens: nCtx,
        maxRows,
        budgetTokens,
        swapTokens: 64,
        watermark: 0,
      },
    });
    const scheduler = new Scheduler(kv.policy, { nCtx, maxSequences: 4, maxRows, preemption: "swap" });
    const executor = await GpuExecutor.create(model, kv, {
      maxSequences: 4,
      maxRows,
      kvDtype,
      promptOf: ({ promptTokens }) => range(promptTokens),
    });
    const takes = [take(trace, gpu, "create")];
    scheduler.submit({ id: 0, promptTokens: 6, newTokens: 7, continuations: 2 });
    scheduler.submit({ id: 1, promptTokens: 9, newTokens: 6 });
    for (let number = 1;; number++) {
      const step = scheduler.step();
      if (step === undefined) break;
      await executor.run(step);
      takes.push(take(trace, gpu, `step ${number}`));
    }
    await executor.runner.settle();
    executor.runner.dispose();
    scenes.push({ file: "serving", title: `${policy}, K/V ${kvDtype}`, takes });
  }
  return scenes;
}

/** What happened since the last take. */
function take(trace: Trace, { ledger }: Gpu, name: string): Take {
  const { current, peak } = ledger;
  const bytes = Object.keys(current).map((category) => {
    const key = category as keyof typeof current;
    return peak[key] === current[key]
      ? `${category} ${current[key]}`
      : `${category} ${current[key]} (peak ${peak[key]})`;
  });
  ledger.resetPeak();
  return { name, bytes: bytes.join(", "), events: trace.take() };
}

function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i + 1);
}
