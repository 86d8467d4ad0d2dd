/**
 * The record that one `bench` run leaves behind: environment, model, workload, and raw samples per strategy.
 * This file owns the JSON format and its version; it takes no measurement and draws nothing. Field names are
 * snake_case as in the file, units are in the names, and each field says what it means in `.describe()`.
 *
 * @module
 */

import { z } from "npm:zod@4.6.7";
import { KvbenchError } from "../errors.ts";
import { GROWTHS, STRATEGY_NAMES } from "../kv/strategy.ts";

/** Version of the format. It goes up with every change that an older reader would misread or refuse. */
export const SCHEMA_VERSION = 1;

const KIND = "kvbench.bench";

const count = (what: string) => z.int().nonnegative().describe(what);
const bytes = (what: string) => z.int().nonnegative().describe(what);
const amount = (what: string) => z.number().nonnegative().describe(what);

const strategySchema = z.enum(STRATEGY_NAMES).describe("Decode strategy");

const samples = z.array(z.number().nonnegative()).describe("Raw samples in the order taken, one per run");
const gaps = z.array(z.number().nonnegative()).describe("One gap per generated token after the first");

const timing = (what: string) =>
  z.strictObject({ median: z.number().nonnegative().describe("Median of the samples"), samples }).describe(
    what,
  );

const environmentSchema = z.strictObject({
  kvbench: z.string().describe("Version of kvbench"),
  deno: z.string().describe("Version of Deno"),
  v8: z.string().describe("Version of V8"),
  typescript: z.string().describe("Version of TypeScript"),
  os: z.string().describe("Operating system, as Deno.build.os"),
  arch: z.string().describe("CPU architecture, as Deno.build.arch"),
  cpu: z.strictObject({
    model: z.string().nullable().describe("Model name of the CPU, null where it can't be read"),
    cores: z.int().positive().describe("Logical CPUs"),
  }).describe("CPU of the host"),
  adapter: z.strictObject({
    description: z.string().describe("What the adapter calls itself"),
    vendor: z.string().describe("Vendor, as GPUAdapterInfo gives it"),
    architecture: z.string().describe("Architecture, as GPUAdapterInfo gives it"),
    device: z.string().describe("Device, as GPUAdapterInfo gives it"),
    software: z.boolean().describe("Whether the adapter computes on the CPU"),
    features: z.array(z.string()).describe("WebGPU features that the device was opened with"),
    limits: z.record(z.string(), z.number()).describe("WebGPU limits of the device"),
  }).describe("GPU adapter"),
  kernels_sha256: z.string().describe("SHA-256 over the WGSL sources that were run, in hex"),
  tuning: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .describe("Kernel variants chosen for this adapter"),
  fence: z.strictObject({
    blocks: z.boolean().describe("Whether onSubmittedWorkDone() blocks until the GPU is done"),
    cost_us: amount("What a fence costs with nothing to wait for, in µs"),
    readback_ms: amount("What reading a few bytes back costs, in ms"),
  }).describe("Waiting for the GPU, measured at start-up"),
});

const modelSchema = z.strictObject({
  name: z.string().describe("Name or path of the checkpoint"),
  n_layer: z.int().positive().describe("Layers"),
  n_head: z.int().positive().describe("Attention heads per layer"),
  n_embd: z.int().positive().describe("Width of the residual stream"),
  n_ctx: z.int().positive().describe("Longest context, in tokens"),
  vocab_size: z.int().positive().describe("Tokens in the vocabulary"),
  n_parameters: z.int().positive().describe("Parameters, the tied head counted once"),
  weights_dtype: z.string().describe("Type of the weights on the GPU"),
  kv_dtype: z.string().describe("Type of K and V on the GPU"),
  sha256: z.string().nullable().describe("SHA-256 of the checkpoint in hex, null where it was not computed"),
});

const workloadSchema = z.strictObject({
  prompt: z.string().nullable().describe("Prompt text, null where the prompt was given as ids"),
  prompt_ids: z.array(z.int().nonnegative()).describe("Prompt as token ids"),
  prompt_tokens: z.int().positive().describe("Length of prompt_ids"),
  new_tokens: z.int().positive().describe("Tokens generated per run"),
  sampling: z.literal("greedy").describe("How the next token is chosen"),
  runs: z.int().positive().describe("Measured runs per strategy"),
  warmup: count("Runs per strategy before the measured ones, not recorded"),
  block_size: z.int().positive().describe("Tokens per KV block of the paged strategy"),
  growth: z.enum(GROWTHS)
    .describe("How kv-cache gets its memory: the maximum up front, or grown by copying"),
  kv_capacity_tokens: z.int().positive().describe("Tokens that a static reservation holds"),
  seed: z.int().describe("Seed of the order of strategies and of a synthetic prompt"),
  order: z.array(z.array(strategySchema)).describe("Order of the strategies in each measured run"),
});

const wasteSchema = z.strictObject({
  reserved_for_later: bytes("Reserved for tokens that the request has not generated yet, but will"),
  internal: bytes("Reserved and never used: the rest of a block or of the reservation"),
  external: bytes("Free, but lost between or beside reservations"),
});

const strategyResultSchema = z.strictObject({
  strategy: strategySchema,
  ttft_ms: timing("Time to first token: from the start of the request to its first token on the host, in ms"),
  tpot_ms: z.strictObject({
    median: z.number().nonnegative().nullable().describe("Median of the samples, null with one new token"),
    samples,
  }).describe("Time per output token: (E2E − TTFT) / (new tokens − 1), in ms"),
  e2e_ms: timing("End to end: from the start of the request to its last token on the host, in ms"),
  tokens_per_second: z.number().nonnegative().nullable()
    .describe("Speed of the decode phase, 1000 / tpot_ms.median, null with one new token"),
  prefill_tokens_per_second: amount("Speed of the prefill phase, 1000 · prompt tokens / ttft_ms.median"),
  itl_ms: z.strictObject({ samples: gaps }).describe(
    "Inter-token latency: the gap before each token after the first, in order, in ms: the median over up to three " +
      "runs of their own with a fence per token, so that the sum is more than E2E − TTFT",
  ),
  gpu_ms_per_token: z.number().nonnegative().nullable().describe(
    "GPU time of one decoded token from timestamp queries, in ms, mean over the tokens of a run of its own; null where " +
      "the adapter has no timestamps or there is one new token",
  ),
  dispatches_per_token: amount("GPU dispatches per decoded token"),
  encode_ms_per_token: amount(
    "Time the host needs to record one token's commands, submitting not counted, in ms",
  ),
  gpu_peak_bytes: z.strictObject({
    total: bytes("Peak of the sum, which can be less than the sum of the categories' peaks"),
    weights: bytes("Model weights"),
    kv: bytes("K and V"),
    activations: bytes("Activations and logits"),
    tables: bytes("Uniforms, block tables, slot mappings"),
    staging: bytes("Upload and readback buffers"),
  }).describe("Peak of GPU buffer bytes, as the ledger counts them"),
  kv_tokens: count("Tokens whose K and V are stored at the end"),
  kv_layers_kept: count("Layers whose K and V are stored: all of them, or one layer's scratch"),
  kv_used_bytes: bytes("K/V bytes at the end that hold a token's K or V"),
  kv_reserved_bytes: bytes("K/V bytes at the end that only this request can use, used or not"),
  kv_allocated_bytes: bytes("K/V bytes at the end that exist as GPU buffers, the whole pool included"),
  kv_waste_bytes: wasteSchema.describe("K/V bytes that hold nothing, by reason"),
  kv_formula: z.string().describe("The formula that kv_used_bytes was checked against, with its figures"),
  kv_timeline: z.array(z.strictObject({
    token: count("Tokens generated so far"),
    reserved_bytes: bytes("kv_reserved_bytes at that token"),
    used_bytes: bytes("kv_used_bytes at that token"),
  })).describe("K/V memory as the sequence grows"),
  token_ids: z.array(z.int().nonnegative()).describe("Generated token ids"),
  text: z.string().nullable().describe("Generated text, null where the model has no tokenizer"),
});

const schema = z.strictObject({
  schema_version: z.literal(SCHEMA_VERSION).describe("Version of this format"),
  kind: z.literal(KIND).describe("What this file is"),
  created: z.iso.datetime().describe("When the run began, ISO 8601 in UTC"),
  command: z.array(z.string()).describe("Arguments of the command that made this file"),
  environment: environmentSchema.describe("Where it was measured"),
  model: modelSchema.describe("What was run"),
  workload: workloadSchema.describe("What it was asked to do"),
  results: z.array(strategyResultSchema).min(1).describe("One entry per strategy, in the order asked for"),
});

/**
 * A bench result, as it stands in the JSON file. Read the fields' meanings from {@linkcode resultJsonSchema}.
 *
 * @internal Tagged so because `deno doc --lint` takes the inferred type for a private one of zod.
 */
export type BenchResult = z.infer<typeof schema>;

/**
 * One strategy's entry in {@linkcode BenchResult}.
 *
 * @internal For the same reason.
 */
export type StrategyResult = BenchResult["results"][number];

/** The format as a JSON Schema (draft 2020-12) with a description of every field. */
export function resultJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(schema);
}

/**
 * Checks that `json` is a bench result of this version.
 *
 * @param json What `JSON.parse` returned, or a record about to be written.
 * @param source Where it comes from, for the error message: a path, or "stdin".
 * @throws {KvbenchError} If it is not one. The message names the first offending field by its path.
 */
export function parseResult(json: unknown, source: string): BenchResult {
  const head = z.looseObject({ kind: z.literal(KIND), schema_version: z.int() }).safeParse(json);
  if (!head.success) {
    throw new KvbenchError(
      `Cannot read ${source}: it is not a bench result, an object of kind "${KIND}" was wanted`,
    );
  }
  if (head.data.schema_version !== SCHEMA_VERSION) {
    throw new KvbenchError(
      `Cannot read ${source}: its schema_version is ${head.data.schema_version}, this kvbench reads ${SCHEMA_VERSION}`,
    );
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [first, ...rest] = parsed.error.issues;
  const where = first === undefined || first.path.length === 0 ? "the top level" : formatPath(first.path);
  const why = (first?.message ?? "unknown reason").replace(/^Invalid input: /, "");
  const more = rest.length === 0 ? "" : ` (and ${rest.length} more)`;
  throw new KvbenchError(`Cannot read ${source}: ${where} is not valid: ${why}${more}`);
}

/** `["results", 0, "strategy"]` as `results[0].strategy`. */
function formatPath(path: readonly PropertyKey[]): string {
  return path.map((key) => typeof key === "number" ? `[${key}]` : `.${String(key)}`).join("").replace(
    /^\./,
    "",
  );
}
