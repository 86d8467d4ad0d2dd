/**
 * kvbench: see, measured on your own GPU, what a KV cache buys and what it costs. GPT-2 on Deno's native WebGPU
 * with hand-written WGSL, three decode strategies over the same weights and kernels, every byte accounted for.
 *
 * As a library:
 *
 * ```ts
 * import { createStrategy, Decoder, Gpt2, Gpu, locateModel } from "./mod.ts";
 *
 * const gpu = await Gpu.open();
 * const checkpoint = await locateModel("tiny");
 * const model = await Gpt2.load(gpu, checkpoint);
 * const { nLayer, nCtx } = model.config;
 * const shape = { ...model.config, ...model.dims, nSequences: 1, dtype: "f32" };
 * const strategy = createStrategy(gpu, "paged", shape, {
 *   maxTokens: 64,
 *   capacityTokens: 64,
 *   growth: "static",
 *   blockSize: 16,
 * });
 * const decoder = await Decoder.create(model, strategy, { nSequences: 1, maxPromptTokens: 8, maxTokens: 64 });
 * decoder.begin([[7454, 2402, 257, 640]]); // "Once upon a time"
 * decoder.advance(16);
 * console.log(await decoder.ids(4), gpu.ledger.summary());
 * ```
 *
 * Run as a program, it is the command line: `deno run mod.ts --help`.
 *
 * @module
 */
export * from "./src/base/errors.ts";
export * from "./src/gpu/adapter.ts";
export { type Backend, BACKENDS, type KnownBackend } from "./src/gpu/backend.ts";
export type { AdapterIdentity } from "./src/gpu/identity.ts";
export * from "./src/gpu/bind_layout.ts";
export * from "./src/gpu/dispatch_timer.ts";
export * from "./src/formats/registry.ts";
export * from "./src/gpu/fence.ts";
export * from "./src/gpu/gpu.ts";
export * from "./src/gpu/kernel.ts";
export * from "./src/gpu/ladder.ts";
export * from "./src/gpu/ledger.ts";
export * from "./src/gpu/recorder.ts";
export * from "./src/gpu/roof.ts";
export * from "./src/gpu/timestamps.ts";
export * from "./src/gpu/webgpu.ts";
export type { WgslFile } from "./src/gpu/wgsl.ts";
export type { FetchEvents } from "./src/hub/fetch_blob.ts";
export * from "./src/hub/locate.ts";
export type { FetchOptions } from "./src/hub/repository.ts";
export type { OnRetry, RetryOptions } from "./src/hub/retry.ts";
export type { HubSettings } from "./src/hub/settings.ts";
export * from "./src/model/batch.ts";
export * from "./src/checkpoint/byte_source.ts";
export * from "./src/checkpoint/checkpoint.ts";
export * from "./src/checkpoint/config.ts";
export * from "./src/model/costs.ts";
export * from "./src/model/dims.ts";
export * from "./src/model/operator.ts";
export * from "./src/model/gpt2.ts";
export * from "./src/model/kernels.ts";
export * from "./src/model/plan.ts";
export * from "./wgsl/ops/linear/forms.ts";
export * from "./src/model/pack.ts";
export * from "./src/model/sampling.ts";
export * from "./src/checkpoint/synthetic.ts";
export * from "./src/checkpoint/tokenizer.ts";
export * from "./src/model/step_tables.ts";
export * from "./src/model/tuning.ts";
export * from "./src/model/weights.ts";
export * from "./src/model/workspace.ts";
export * from "./src/kv/arena.ts";
export * from "./src/kv/block_manager.ts";
export * from "./src/kv/block_pool.ts";
export * from "./src/kv/buddy.ts";
export * from "./src/kv/create.ts";
export * from "./src/kv/first_fit.ts";
export * from "./src/kv/layer.ts";
export * from "./src/kv/prefix_keys.ts";
export * from "./src/kv/reservation.ts";
export * from "./src/kv/slot_copier.ts";
export * from "./src/kv/slot_pool.ts";
export * from "./src/kv/strategy.ts";
export * from "./src/engine/batch_runner.ts";
export * from "./src/engine/beam_search.ts";
export * from "./src/engine/beams.ts";
export * from "./src/engine/decoder.ts";
export * from "./src/engine/generate.ts";
export * from "./src/engine/gpu_executor.ts";
export * from "./src/engine/kv_footprint.ts";
export * from "./src/engine/live_engine.ts";
export * from "./src/engine/sample_parallel.ts";
export * from "./src/engine/scheduler/arena_memory.ts";
export * from "./src/engine/scheduler/counters.ts";
export * from "./src/engine/scheduler/create_memory.ts";
export * from "./src/engine/scheduler/executor.ts";
export * from "./src/engine/scheduler/kv_memory.ts";
export * from "./src/engine/scheduler/paged_memory.ts";
export * from "./src/engine/scheduler/request.ts";
export * from "./src/engine/scheduler/scheduler.ts";
export * from "./src/engine/scheduler/scheduler_options.ts";
export * from "./src/engine/scheduler/step.ts";
export * from "./src/engine/shared_runner.ts";
export * from "./src/engine/with_decoder.ts";
export * from "./src/base/comparison.ts";
export * from "./src/check/kernel_checks.ts";
export * from "./src/check/self_check.ts";
export * from "./src/measure/profile/profile.ts";
export * from "./src/measure/profile/profile_result.ts";
export * from "./src/measure/record/result.ts";
export * from "./src/measure/run/run.ts";
export type { GroupOptions, GroupProgress } from "./src/measure/run/group.ts";
export * from "./src/measure/run/grid.ts";
export type { Plan } from "./src/measure/run/plan.ts";
export type { Cell, Settings } from "./src/measure/record/cell.ts";
export type { ApiOptions } from "./src/serve/api.ts";
export type { BodyLimits } from "./src/serve/body.ts";
export type { ServedModel } from "./src/serve/completion_job.ts";
export type { CompletionLimits } from "./src/serve/completions.ts";
export type { Patience } from "./src/serve/connection.ts";
export type { DoorOptions } from "./src/serve/door.ts";
export type { HttpServerOptions } from "./src/serve/http_server.ts";
export * from "./src/serve/server.ts";
export { main } from "./src/cli/main.ts";

import { main } from "./src/cli/main.ts";

if (import.meta.main) await main(Deno.args);
