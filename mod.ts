/**
 * kvbench: what a KV cache buys and what it costs, measured on your own GPU. GPT-2 on Deno's native WebGPU with
 * hand-written WGSL, decoded with several strategies over the same weights and kernels, every byte accounted for.
 *
 * As a library: open a GPU, load a model, and decode with a strategy.
 *
 * ```ts
 * import { Gpt2, locateModel, openGpu, withDecoder } from "./mod.ts";
 *
 * const gpu = await openGpu();
 * const model = await Gpt2.load(gpu, await locateModel("tiny"));
 * const prompt = [7454, 2402, 257, 640]; // "Once upon a time"
 * const size = { nSequences: 1, maxPromptTokens: prompt.length, maxTokens: 20 };
 * await withDecoder(model, { strategy: "paged", ...size }, async (decoder) => {
 *   decoder.begin([prompt]);
 *   decoder.advance(16);
 *   const [ids] = await decoder.ids(prompt.length);
 *   console.log(ids, gpu.ledger.summary());
 * });
 * model.dispose();
 * gpu.dispose();
 * ```
 *
 * `examples/` has a strategy, a sweep and a report of one's own; strategies and storage types of one's own begin at
 * `extend.ts`. What {@linkcode main} does with arguments, `serve` and `generate` for example, it does from a program too.
 *
 * Run as a program, it is the command line: `deno run mod.ts --help`.
 *
 * @module
 */

// Open a GPU.
export { type GpuOptions, openGpu } from "./src/host/gpu.ts";
export type { Gpu } from "./src/gpu/gpu.ts";
export type { Bytes, Ledger } from "./src/gpu/ledger.ts";

// Load a model.
export { locateModel, type LocateOptions } from "./src/hub/locate.ts";
export type { TensorSource, WeightsOrigin } from "./src/checkpoint/checkpoint.ts";
export type { Gpt2Config } from "./src/checkpoint/config.ts";
export type { DecodeStream, Tokenizer } from "./src/checkpoint/tokenizer.ts";
export { tokenizerFor } from "./src/checkpoint/vocabulary.ts";
export { type Dtype, WEIGHT_DTYPES } from "./src/formats/registry.ts";
export { Gpt2, type LoadOptions } from "./src/model/gpt2.ts";
export type { Model } from "./src/model/model.ts";

// Decode.
export { type DecodingOptions, withDecoder } from "./src/engine/with_decoder.ts";
export type { Decoder } from "./src/engine/decoder.ts";
export { generate, type GenerateRequest } from "./src/engine/generate.ts";
export { GREEDY, type Sampling } from "./src/model/sampling.ts";
export { strategyNames } from "./src/kv/registry.ts";

// Measure.
export { type BenchOptions, runBench } from "./src/measure/run/run.ts";
export { type NewResult, newResult } from "./src/measure/record/new_result.ts";
export { machineFacts } from "./src/host/machine.ts";
export type { MachineFacts } from "./src/measure/record/environment.ts";
export type { Plan } from "./src/measure/run/plan.ts";

// Report; `main(["compare", …])` compares.
export { type BenchResult, parseResult } from "./src/measure/record/result.ts";
export { type Format, formatResults } from "./src/report/formats.ts";
export type { Reportable } from "./src/report/kinds.ts";
export type { LoadResult } from "./src/load/load_result.ts";
export type { ServingResult } from "./src/simulate/serving_result.ts";
export { reportPage } from "./src/report/page/page.ts";
export type { Lang } from "./src/report/lang.ts";

// Tell errors from mistakes of one's own, and run as a program.
export { KvbenchError, UsageError } from "./src/base/errors.ts";
export { main } from "./src/cli/main.ts";

import { main } from "./src/cli/main.ts";

if (import.meta.main) await main(Deno.args);
