/**
 * kvbench: see, measured on your own GPU, what a KV cache buys and what it costs. GPT-2 on Deno's native WebGPU
 * with hand-written WGSL, three decode strategies over the same weights and kernels, every byte accounted for.
 *
 * As a library:
 *
 * ```ts
 * import { Gpt2, Gpu, locateModel, openDecoder } from "./mod.ts";
 *
 * const gpu = await openGpu();
 * const checkpoint = await locateModel("tiny");
 * const model = await Gpt2.load(gpu, checkpoint);
 * const decoder = await openDecoder(model, {
 *   strategy: "paged",
 *   kvOptions: { block_size: 16 },
 *   nSequences: 1,
 *   maxPromptTokens: 8,
 *   maxTokens: 64,
 * });
 * decoder.begin([[7454, 2402, 257, 640]]); // "Once upon a time"
 * decoder.advance(16);
 * console.log(await decoder.ids(4), gpu.ledger.summary());
 * ```
 *
 * Run as a program, it is the command line: `deno run mod.ts --help`.
 *
 * @module
 */
// Open a GPU
export { type GpuOptions, openGpu } from "./src/host/gpu.ts";
export { Gpu } from "./src/gpu/gpu.ts";
// Load a model
export { locateModel, type LocateOptions } from "./src/hub/locate.ts";
export { SyntheticCheckpoint } from "./src/checkpoint/synthetic.ts";
export { type Tokenizer, tokenizerFor } from "./src/checkpoint/tokenizer.ts";
export { Gpt2, type LoadOptions } from "./src/model/gpt2.ts";
// Decode
export { type DecodingOptions, withDecoder } from "./src/engine/with_decoder.ts";
export type { Decoder } from "./src/engine/decoder.ts";
export { generate, type GenerateRequest } from "./src/engine/generate.ts";
export { GREEDY, type Sampling } from "./src/model/sampling.ts";
// Strategies of one's own
export { register, strategyNames } from "./src/kv/registry.ts";
export type { KvAddressing, KvNeed, KvOption, KvOptions, StrategyDef } from "./src/kv/strategy_def.ts";
export type { Admission, KvPolicy, KvTraits, KvUsage, Lengths } from "./src/kv/policy.ts";
export { type Move, Moves } from "./src/kv/moves.ts";
export { RegionPolicy } from "./src/kv/region_policy.ts";
// Measure
export { type BenchOptions, runBench } from "./src/measure/run/run.ts";
export { type NewResult, newResult } from "./src/measure/record/new_result.ts";
export { machineFacts } from "./src/host/machine.ts";
export type { Plan } from "./src/measure/run/plan.ts";
// Compare and report
export { type BenchResult, parseResult, resultJsonSchema } from "./src/measure/record/result.ts";
export { compareResults, type Comparison } from "./src/measure/findings/compare.ts";
export { type Format, formatResults } from "./src/report/formats.ts";
export { reportPage } from "./src/report/page/page.ts";
// Serve
export { LiveEngine, type LiveEngineOptions } from "./src/engine/live_engine.ts";
export { serve, type ServerOptions } from "./src/serve/server.ts";
// Run as a program
export { KvbenchError, UsageError } from "./src/base/errors.ts";
export { main } from "./src/cli/main.ts";

import { main } from "./src/cli/main.ts";

if (import.meta.main) await main(Deno.args);
