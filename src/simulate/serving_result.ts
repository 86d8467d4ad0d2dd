/**
 * The record that `serve-sim` writes: its JSON format and version, and its making from a plan and its results.
 */
import { z } from "../base/zod.ts";
import { VERSION } from "../base/version.ts";
import { PREEMPTIONS } from "../engine/scheduler/scheduler_options.ts";
import { amount, bytes, count, positive } from "../measure/record/fields.ts";
import { kvValue } from "../measure/record/cell.ts";
import { headOf, headSchema, type RecordKind, recordReader } from "../measure/record/record.ts";
import { servingEntrySchema } from "./entry.ts";
import type { ModelShape } from "./model_shape.ts";
import type { ServingPlan } from "./plan.ts";

/** Name and versions of the format. */
export const SERVING_KIND = {
  kind: "kvbench.serve-sim",
  version: 4,
  upgrades: {
    1: (record) => fromVersion3(fromVersion2(fromVersion1(record))),
    2: (record) => fromVersion3(fromVersion2(record)),
    3: fromVersion3,
  },
} as const satisfies RecordKind;

const clockSchema = z.discriminatedUnion("source", [
  z.strictObject({
    source: z.literal("model").describe("Times are modelled (roofline), nothing was computed"),
    gpu: z.string().describe("Name of the GPU"),
    bytes_per_second: amount("Memory bandwidth"),
    flops_per_second: amount("Multiplications and additions"),
    host_bytes_per_second: amount("Bandwidth to host memory"),
    overhead_ms: amount("Added to each step, in ms"),
  }),
  z.strictObject({
    source: z.literal("gpu").describe("Times were measured"),
    adapter: z.string().describe("Name of the adapter"),
    software: z.boolean().describe("True where the adapter computes on the CPU"),
  }),
]);

/** Checks a {@linkcode ServingSetup}. */
export const servingSetupSchema = z.strictObject({
  created: z.iso.datetime().describe("Start of the run, ISO 8601 in UTC"),
  command: z.array(z.string()).describe("Arguments of the command that made this file"),
  kvbench: z.string().describe("Version of kvbench"),
  clock: clockSchema.describe("Source of times"),
  model: z.strictObject({
    name: z.string().describe("Name of the model"),
    n_layer: positive("Layers"),
    width: positive("Width of K, and of V, per token and layer"),
    n_ctx: positive("Longest context, in tokens"),
    n_parameters: positive("Parameters"),
    weight_bytes: bytes("Bytes of all parameters"),
    kv_token_bytes: bytes("Bytes of one token's K and V in all layers"),
  }).describe("Model that was served"),
  workload: z.strictObject({
    lengths: z.string().describe("Data set that lengths are fitted to, or file that they were read from"),
    length_scale: amount("Factor on lengths that were drawn"),
    requests: positive("Requests"),
    rate_per_second: amount("Requests per second on average, null for all at once").nullable(),
    continuations: positive("Continuations of each prompt"),
    prefix_groups: count("Prefixes that requests share"),
    prefix_tokens: count("Tokens of each prefix"),
    seed: z.int().describe("Seed of lengths, arrivals and prompts"),
  }).describe("Requests that arrived"),
  limits: z.strictObject({
    kv_budget_bytes: bytes("Bytes for K and V"),
    swap_bytes: bytes("Bytes of host memory for swapping"),
    kv_options: z.record(z.string(), kvValue).describe("Options of the strategies"),
    watermark_blocks: count("Blocks that an admission leaves free, null for 1 % of them").nullable(),
    preemption: z.enum(PREEMPTIONS).describe("Treatment of preempted K and V"),
    max_sequences: positive("Most sequences that run at once"),
    max_rows: positive("Most tokens of a step"),
    ttft_ms: amount("Longest time to first token that counts for goodput, null for no limit").nullable(),
    tpot_ms: amount("Longest time per output token that counts for goodput, null for no limit").nullable(),
  }).describe("Memory and limits of serving"),
});

/** The set-up of a run: its time and command, the model, the requests, and the memory. */
export type ServingSetup = z.infer<typeof servingSetupSchema>;

const schema = z.strictObject({
  ...headSchema(SERVING_KIND),
  ...servingSetupSchema.shape,
  results: z.array(servingEntrySchema).min(1).describe("One entry per policy, in the order of --policies"),
});

/** @internal The record of a serving simulation. */
export type ServingResult = z.infer<typeof schema>;

/** Checks that a value is a serving simulation's record. */
export const parseServing = recordReader(schema, SERVING_KIND);

/** Version 1 named two options in `limits` and did not say where K and V are. */
function fromVersion1(record: Record<string, unknown>): Record<string, unknown> {
  const { results } = record;
  const setup = setupOfVersion1(record);
  if (!Array.isArray(results)) return setup;
  return { ...setup, results: results.map((entry) => ({ ...entry, kv_storage: null })) };
}

/** Version 2 had no course of time. */
function fromVersion2(record: Record<string, unknown>): Record<string, unknown> {
  const { results } = record;
  if (!Array.isArray(results)) return record;
  const none = { timeline: null, requests: null, layout: null };
  return { ...record, results: results.map((entry) => ({ ...entry, ...none })) };
}

/** Version 3 had neither types of K and V nor quality. */
function fromVersion3(record: Record<string, unknown>): Record<string, unknown> {
  const { results } = record;
  if (!Array.isArray(results)) return record;
  return { ...record, results: results.map((entry) => ({ ...entry, kv_dtype: null, quality: null })) };
}

/** Returns a set-up of version 1 as one of this version. */
export function setupOfVersion1(record: Record<string, unknown>): Record<string, unknown> {
  const { block_size, allocator, ...limits } = (record.limits ?? {}) as Record<string, unknown>;
  return { ...record, limits: { ...limits, kv_options: { block_size, allocator } } };
}

/** Facts of a run that its plan does not hold. */
export interface RunFacts extends Pick<ServingSetup, "created" | "command" | "clock"> {}

/**
 * Makes the record of a simulation.
 *
 * @throws {KvbenchError} If it breaks its own format, which is a defect.
 */
export function servingRecord(
  plan: ServingPlan,
  shape: ModelShape,
  { results, ...facts }: RunFacts & Pick<ServingResult, "results">,
): ServingResult {
  const record = { ...headOf(SERVING_KIND), ...servingSetup(plan, shape, facts), results };
  return parseServing(record, "the result of this run");
}

/** Makes the set-up part of a record. */
export function servingSetup(plan: ServingPlan, shape: ModelShape, facts: RunFacts): ServingSetup {
  return {
    kvbench: VERSION,
    ...facts,
    model: {
      name: shape.name,
      n_layer: shape.nLayer,
      width: shape.width,
      n_ctx: shape.nCtx,
      n_parameters: shape.parameters,
      weight_bytes: shape.weightBytes,
      kv_token_bytes: shape.kvTokenBytes,
    },
    workload: {
      lengths: "dataSet" in plan.lengths ? plan.lengths.dataSet : plan.lengths.file,
      length_scale: plan.lengthScale,
      requests: plan.nRequests,
      rate_per_second: plan.ratePerSecond ?? null,
      continuations: plan.continuations,
      prefix_groups: plan.prefixes?.groups ?? 0,
      prefix_tokens: plan.prefixes?.tokens ?? 0,
      seed: plan.seed,
    },
    limits: {
      kv_budget_bytes: plan.budgetBytes,
      swap_bytes: plan.swapBytes,
      kv_options: plan.kvOptions,
      watermark_blocks: plan.watermark ?? null,
      preemption: plan.preemption,
      max_sequences: plan.maxSequences,
      max_rows: plan.maxRows,
      ttft_ms: plan.limits?.ttftMs ?? null,
      tpot_ms: plan.limits?.tpotMs ?? null,
    },
  };
}
