/**
 * The record that `ladder` writes: the rungs, their runs in turns, and what serving gains of the same memory. Owns the JSON
 * format and its version.
 */
import { z } from "../../base/zod.ts";
import { kvDtypeSchema } from "../../formats/kv_dtype.ts";
import { WEIGHT_DTYPES } from "../../formats/registry.ts";
import { dtypeSchema } from "../../formats/schema.ts";
import { KV_STORAGES } from "../../kv/pool.ts";
import { categories, kvValue } from "../record/cell.ts";
import { environmentSchema } from "../record/environment_schema.ts";
import { amount, amounts, count, counts, positive } from "../record/fields.ts";
import { pagingGainSchema } from "../record/paging_gain.ts";
import { headSchema, type RecordReader, recordReader } from "../record/record.ts";
import { modelSchema, order } from "../record/result.ts";
import { LOOPS, RUNG_NAMES } from "./rungs.ts";

/** The kind of file. */
export const LADDER_KIND = { kind: "kvbench.ladder", version: 1 } as const;

const planSchema = z.strictObject({
  prompt: z.string().nullable().describe("Prompt text, null where it was given as ids or made up"),
  prompt_ids: counts("Prompt as token ids").min(1),
  new_tokens: z.int().min(2).describe("Tokens that each sequence gains, greedily"),
  runs: positive("Rounds of each pair").nullable()
    .describe("Rounds of each pair; null: until its medians are precise enough"),
  target_ci: amount("Precise enough: half of the interval of a median, as a share of it"),
  max_seconds: amount(
    "Time for the measured runs of all pairs, divided among them; each pair has 5 rounds at least",
  ),
  seed: count("Seed of the order of runs and of the bootstrap"),
});

const rungSchema = z.strictObject({
  name: z.enum(RUNG_NAMES).describe("Name of the rung"),
  strategy: z.string().describe("Strategy that keeps K and V"),
  kv_options: z.record(z.string(), kvValue).describe("Options of the strategy, its defaults left out"),
  kv_storage: z.enum(KV_STORAGES).describe("Storage of K and V on the GPU: textures or buffers"),
  kv_dtype: kvDtypeSchema.describe("Types of K and V on the GPU: that of both, or K's/V's"),
  weights_dtype: dtypeSchema(WEIGHT_DTYPES).describe("Type of weight matrices on the GPU"),
  loop: z.enum(LOOPS).describe(
    "Loop: ids awaited after every token and all else made anew; steps recorded ahead; continuous batching",
  ),
  batch: positive("Sequences decoded together"),
  exact: z.boolean().describe("True if its own ids are those of the ladder, or the run had failed"),
  fed_ids: count("Ids of the ladder that it was fed, since its own would have differed"),
  peak_bytes: categories(
    "Peak of GPU buffer bytes in a run, as the ledger counts them; of weights, its own alone",
    "Peak of the sum, which can be less than the sum of the categories' peaks",
  ),
  gaps_ms: z.array(amounts("Gaps of one run")).min(1).nullable().describe(
    "Time before each token after the first, in ms: [runs][new tokens − 1]; null where no token is awaited",
  ),
});

const perToken = "Time of a whole request by the tokens that all its sequences gained, in ms: one per round";

const turnsSchema = z.strictObject({
  from: count("Index of the lower rung"),
  to: count("Index of the upper rung"),
  seconds: amount("Time of the measured runs"),
  stopped: z.enum(["runs", "precise", "time"])
    .describe("Reason to stop: as many rounds as asked for, precise enough, or out of time"),
  order,
  from_ms: amounts(perToken).min(1),
  to_ms: amounts(perToken).min(1),
  yardstick_ms: amounts(
    "Time of a fixed piece of GPU work beside each run, in ms; the lower rung's runs first",
  ),
});

const schema = z.strictObject({
  ...headSchema(LADDER_KIND),
  created: z.iso.datetime().describe("Start of measuring, ISO 8601 in UTC"),
  command: z.array(z.string()).describe("Arguments of the command that made this file"),
  environment: environmentSchema.describe("Environment of the measurement"),
  model: modelSchema.describe("Model that was run, as the lowest rung has it"),
  plan: planSchema.describe("Plan of the measurement"),
  token_ids: counts("Generated ids, the same on every rung"),
  rungs: z.array(rungSchema).min(2).describe("The rungs, from the lowest to the highest"),
  turns: z.array(turnsSchema).describe(
    "Rungs that took turns: each with the one below it, and at last the highest with the lowest",
  ),
  sequences: pagingGainSchema.describe("Sequences that run at once in the same K/V memory, simulated"),
}).superRefine(({ rungs, turns }, { addIssue }) => {
  const pairs = [...rungs.slice(1).map((_, i) => [i, i + 1]), [0, rungs.length - 1]];
  if (JSON.stringify(turns.map(({ from, to }) => [from, to])) !== JSON.stringify(pairs)) {
    addIssue({
      code: "custom",
      path: ["turns"],
      message: "expected each rung with the one below, and the whole",
    });
  }
  turns.forEach(({ from_ms, to_ms, order }, i) => {
    if (from_ms.length === order.length && to_ms.length === order.length) return;
    addIssue({ code: "custom", path: ["turns", i], message: `expected ${order.length} runs of each rung` });
  });
});

/** The plan of a ladder. */
export type LadderPlan = z.infer<typeof planSchema>;

/** A rung that was measured. */
export type MeasuredRung = z.infer<typeof rungSchema>;

/** Two rungs that took turns. */
export type RungTurns = z.infer<typeof turnsSchema>;

/** @internal The ladder from a notebook's loop to a serving engine, measured. */
export type LadderResult = z.infer<typeof schema>;

/** Checks that a value is a ladder's record. */
export const parseLadder: RecordReader<LadderResult> = recordReader(schema, LADDER_KIND);
