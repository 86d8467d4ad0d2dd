/**
 * One policy's entry in the record of a serving simulation: its format, and how it is made from a tally.
 */
import { z } from "../base/zod.ts";
import type { Counters } from "../engine/scheduler/counters.ts";
import { kvDtypeSchema } from "../formats/kv_dtype.ts";
import { KV_STORAGES, type KvStorage } from "../kv/pool.ts";
import { amount, count } from "../measure/record/fields.ts";
import type { Percentiles } from "./samples.ts";
import { type Layout, layoutSchema } from "./layout.ts";
import { KEPT_REQUESTS, type Tally } from "./tally.ts";
import { timelineSchema } from "./timeline.ts";

/** Percentiles of a latency. */
export const latencyField = (what: string): z.ZodNullable<z.ZodType<Percentiles>> =>
  z.strictObject({
    mean: amount("Arithmetic mean"),
    p50: amount("Median"),
    p90: amount("90th percentile"),
    p99: amount("99th percentile"),
    max: amount("Maximum"),
  }).nullable().describe(`${what}; null without samples`);

const share = (what: string) => z.number().min(0).max(1).describe(what);

/** Checks a {@linkcode ServingEntry}. */
export const servingEntrySchema = z.strictObject({
  policy: z.string().describe("Strategy by which sequences get room for K and V"),
  kv_dtype: kvDtypeSchema.nullable().describe(
    "Types of K and V: that of both, or K's/V's; null in results before version 4",
  ),
  quality: z.strictObject({
    kld_mean: z.number().describe("Mean KL divergence from full float32 per token, in nats"),
    same_top: share("Share of tokens whose likeliest one is that of full float32"),
  }).nullable().describe(
    "Quality that a record of `quality` has for it; null where none was given or it has none",
  ),
  kv_storage: z.enum(KV_STORAGES).nullable()
    .describe(
      "Storage of K and V on the GPU: textures or buffers; null in dry runs and in results of version 1",
    ),
  capacity_tokens: count("Tokens whose K and V fit"),
  finished: count("Requests that got all their tokens"),
  refused: count("Requests that were refused, since they exceed the budget or the context"),
  seconds: amount("Time from the first arrival to the last token"),
  steps: count("Steps"),
  rows: count("Tokens that were computed, recomputed ones included"),
  prompt_tokens: count("Tokens of the prompts of finished requests"),
  output_tokens: count("Tokens generated"),
  output_tokens_per_second: amount("output_tokens / seconds"),
  requests_per_second: amount("finished / seconds"),
  goodput_per_second: amount("Finished requests per second that met the limits; null without limits")
    .nullable(),
  ttft_ms: latencyField("Time to first token, from the arrival"),
  tpot_ms: latencyField("Time per output token, (E2E − TTFT) / (output tokens − 1)"),
  e2e_ms: latencyField("Time from the arrival to the last token"),
  sequences_mean: amount("Sequences running, mean over time"),
  sequences_peak: count("Most sequences in a step"),
  kv_share: z.strictObject({
    token_states: share("Tokens whose K and V are stored"),
    reserved: share("Reserved for tokens that running sequences will store"),
    internal: share("Reserved for sequences and never used"),
    external: share("Free and enough for a waiting request, but in pieces that are too short"),
    free: share("Free for other sequences"),
  }).describe("K/V memory by use, mean over time, as shares of its capacity"),
  kv_in_use_token_states: share("Token states as a share of the memory that sequences hold, mean over time"),
  sharing_saved: share(
    "Share of memory that sharing saves: blocks saved ÷ blocks without sharing",
  ),
  preemptions: z.strictObject({
    recomputes: count("Preemptions by recomputing"),
    recomputed_tokens: count("Tokens whose K and V they dropped"),
    swaps: count("Preemptions by swapping to host memory"),
    swapped_tokens: count("Tokens whose K and V they swapped"),
  }).describe("Running requests that had to give their memory up"),
  prefix_hit_tokens: count("Prompt tokens that hit the prefix cache"),
  ids_check: z.strictObject({
    compared: count("Sequences whose greedy ids were compared with the first policy's"),
    ties: count(
      "Sequences among them that differ from a position on where two logits are equal but for rounding",
    ),
  }).nullable().describe("Null for the first policy, and where nothing was computed"),
  timeline: timelineSchema.nullable().describe("The course of time; null in results before version 3"),
  requests: z.array(z.strictObject({
    request: count("Index in the order of arrival"),
    arrival_ms: amount("Arrival"),
    first_token_ms: amount("Its first token"),
    end_ms: amount("Its last token"),
  })).nullable().describe(
    `Times of the finished ones among the first ${KEPT_REQUESTS} requests, in ms from the start; null in results before version 3`,
  ),
  layout: layoutSchema.nullable().describe(
    "Blocks of the sequences in the fullest step after the first request ended; null where there is none, without blocks, and in results before version 3",
  ),
});

/** The results of one policy. */
export type ServingEntry = z.infer<typeof servingEntrySchema>;

/** The run of a policy. */
interface Outcome {
  readonly policy: string;
  readonly storage: KvStorage | null;
  readonly capacity: number;
  readonly nRefused: number;
  /** Time from the first arrival to the last token. */
  readonly ms: number;
  readonly tally: Tally;
  readonly counters: Counters;
  /** True where there are limits for goodput. */
  readonly limited: boolean;
  /** Blocks at the fullest step. */
  readonly layout: Layout | null;
}

/** Makes the entry of a policy. */
export function servingEntry(outcome: Outcome): ServingEntry {
  const { policy, storage, capacity, nRefused, ms, tally, counters, limited, layout } = outcome;
  const { slots, busyMs } = tally;
  const ofCapacity = (slotMs: number) => busyMs === 0 ? 0 : Math.min(1, slotMs / (capacity * busyMs));
  const held = slots.stored + slots.later + slots.internal;
  const perSecond = (value: number) => ms === 0 ? 0 : 1000 * value / ms;
  return {
    policy,
    kv_dtype: null,
    quality: null,
    kv_storage: storage,
    capacity_tokens: capacity,
    finished: tally.nFinished,
    refused: nRefused,
    seconds: ms / 1000,
    steps: tally.nSteps,
    rows: tally.nRows,
    prompt_tokens: tally.promptTokens,
    output_tokens: tally.newTokens,
    output_tokens_per_second: perSecond(tally.newTokens),
    requests_per_second: perSecond(tally.nFinished),
    goodput_per_second: limited ? perSecond(tally.nGood) : null,
    ttft_ms: tally.ttftMs.percentiles(),
    tpot_ms: tally.tpotMs.percentiles(),
    e2e_ms: tally.e2eMs.percentiles(),
    sequences_mean: busyMs === 0 ? 0 : tally.sequenceMs / busyMs,
    sequences_peak: tally.peakSequences,
    kv_share: {
      token_states: ofCapacity(slots.stored),
      reserved: ofCapacity(slots.later),
      internal: ofCapacity(slots.internal),
      external: ofCapacity(slots.external),
      free: ofCapacity(slots.free),
    },
    kv_in_use_token_states: held === 0 ? 0 : slots.stored / held,
    sharing_saved: held === 0 ? 0 : slots.saved / (held + slots.saved),
    preemptions: {
      recomputes: counters.recomputes,
      recomputed_tokens: counters.recomputedTokens,
      swaps: counters.swaps,
      swapped_tokens: counters.swappedTokens,
    },
    prefix_hit_tokens: counters.hitTokens,
    ids_check: null,
    timeline: tally.course.timeline,
    requests: tally.requests,
    layout,
  };
}
