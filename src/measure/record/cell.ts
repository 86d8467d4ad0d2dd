/** One cell of a result: a strategy with its settings, and everything that was measured of it. */
import { z } from "../../base/zod.ts";
import { kvDtypeSchema } from "../../formats/kv_dtype.ts";
import { KV_STORAGES } from "../../kv/pool.ts";
import type { KvValue } from "../../kv/strategy_def.ts";
import { amount, amounts, bytes, count, counts, positive } from "./fields.ts";
import { summarySchema } from "../findings/summary.ts";

/** An option of a strategy. */
export const kvValue: z.ZodType<KvValue> = z.union([z.string(), z.number()]).nullable()
  .describe("Options of the strategy by their names; null where one does not apply");

/** Checks {@linkcode Settings}. */
export const settingsSchema = z.object({
  prompt_tokens: positive("Length of each prompt"),
  new_tokens: positive("Tokens generated per sequence"),
  batch: positive("Sequences decoded together"),
  kv_dtype: kvDtypeSchema.describe("Types of K and V on the GPU: that of both, or K's/V's"),
}).catchall(kvValue);

/** Names of the settings of the work, which every cell has. */
export const WORK_SETTINGS: readonly string[] = Object.keys(settingsSchema.shape);

/** The settings of a cell: its work, and the options of its strategy. */
export type Settings = z.infer<typeof settingsSchema>;

/** Bytes of GPU memory by category. */
export const categories = (what: string, total: string) =>
  z.strictObject({
    total: bytes(total),
    weights: bytes("Model weights"),
    kv: bytes("K and V"),
    activations: bytes("Activations and logits"),
    tables: bytes("Uniforms, block tables, slot mappings"),
    staging: bytes("Upload and readback buffers"),
  }).describe(what);

const memorySchema = z.strictObject({
  peak_bytes: categories(
    "Peak of GPU buffer bytes, as the ledger counts them",
    "Peak of the sum, which can be less than the sum of the categories' peaks",
  ),
  end_bytes: categories("GPU buffer bytes after the last token", "Sum of the categories"),
  kv_tokens: count("Tokens whose K and V are stored at the end, over all sequences"),
  kv_layers_kept: count("Layers whose K and V are stored: all of them, or one layer's scratch"),
  kv_used_bytes: bytes("K/V bytes at the end that hold a token's K or V"),
  kv_reserved_bytes: bytes("K/V bytes at the end that only these sequences can use, used or not"),
  kv_allocated_bytes: bytes("K/V bytes at the end that exist as GPU buffers, the whole pool included"),
  kv_formula: z.string().describe("The formula that kv_used_bytes was checked against, with its figures"),
  timeline: z.strictObject({
    total_bytes: counts("GPU buffer bytes"),
    kv_allocated_bytes: counts("K/V bytes that exist as GPU buffers"),
    kv_used_bytes: counts("K/V bytes that hold a token's K or V"),
    kv_for_later_bytes: counts("K/V bytes reserved for tokens that these sequences have yet to store"),
    kv_internal_bytes: counts("K/V bytes reserved and never used: the rest of a block or of the reservation"),
    kv_external_bytes: counts("K/V bytes free, but lost between or beside reservations"),
    created_buffers: counts("").nullable().describe("Buffers and textures that the token's step created"),
    created_bytes: counts("").nullable().describe("Bytes of those, whether they were freed again or not"),
    splits: counts("").nullable().describe(
      "Parts that the attention of a sequence's row was split into; 0 where a step has several rows of a sequence, " +
        "whose attention is never split",
    ),
  }).describe(
    "Memory after each generated token and the work for it: one entry per token in each list; created_buffers, " +
      "created_bytes and splits are null in results up to version 5",
  ),
});

/** Checks a {@linkcode Cell}. */
export const cellSchema = z.strictObject({
  group: count("Index in groups: cells of a group do the same work, and were timed in turns"),
  strategy: z.string().describe("Decode strategy"),
  settings: settingsSchema.describe("The work and the options of the strategy"),
  kv_storage: z.enum(KV_STORAGES).nullable()
    .describe("Storage of K and V on the GPU: textures or buffers; null in results of version 3"),
  warmup: z.strictObject({
    e2e_ms: amounts("E2E of each run before the measured ones, in ms"),
    steady: z.boolean().describe("True where the last three runs agree"),
  }).describe("Runs that are in no statistic"),
  ttft_ms: summarySchema.describe(
    "Time to first token: from the start of the request to the fence behind its first token, in ms",
  ),
  tpot_ms: summarySchema.nullable().describe(
    "Time per output token: (E2E − TTFT) / (new tokens − 1), in ms; null with one new token",
  ),
  e2e_ms: summarySchema.describe("End to end: from the start of the request to its last token, in ms"),
  yardstick_ms: amounts(
    "Time of a fixed piece of GPU work beside each measured run, in ms: how fast the machine was just then",
  ),
  decode_tokens_per_second: amount("Over all sequences").nullable()
    .describe("Decode speed over all sequences: batch · 1000 / tpot_ms.median; null with one new token"),
  prefill_tokens_per_second: amount(
    "Prefill speed over all sequences: batch · 1000 · prompt tokens / ttft_ms.median",
  ),
  itl_ms: z.strictObject({
    runs: z.array(amounts("Gaps of one run")).min(1)
      .describe("Raw gaps before each token after the first: [runs][new tokens − 1]"),
    by_token: amounts("Median over the runs, by token"),
    median: amount("Median of all gaps"),
    p90: amount("90th percentile of all gaps"),
    p95: amount("95th percentile of all gaps"),
    p99: amount("99th percentile of all gaps"),
    max: amount("Longest gap"),
  }).nullable().describe(
    "Inter-token latency in ms, from runs of their own with a fence behind each token, so that the sum is more than " +
      "E2E − TTFT; null with one new token",
  ),
  gpu_ms_per_token: amount("GPU time per token").nullable().describe(
    "GPU time of one decode step from timestamp queries, in ms, mean over the steps of a run of its own; null where " +
      "the adapter has no timestamps or there is one new token",
  ),
  dispatches_per_token: amount("GPU dispatches per decode step"),
  encode_ms_per_token: amount(
    "Time the host needs to record one step's commands, submitting not counted, in ms",
  ),
  memory: memorySchema.describe("Memory, from a run of its own"),
  token_ids: z.array(counts("Ids of one sequence")).min(1).describe(
    "Generated token ids: [batch][new tokens]",
  ),
  texts: z.array(z.string()).nullable()
    .describe("Generated text of each sequence, null where the model has no tokenizer"),
});

/** One strategy with its settings, measured. */
export type Cell = z.infer<typeof cellSchema>;
