/**
 * Plans of benchmarks: a grid of settings, the strategies, and conditions to stop. A plan is part of the result file, so
 * that an interrupted run can be resumed from the file alone.
 */
import { z } from "../../base/zod.ts";
import { kvDtypeSchema } from "../../formats/kv_dtype.ts";
import { amount, count, counts, positive } from "../record/fields.ts";

const values = (what: string) => z.array(z.int().positive()).min(1).describe(what);

/** Checks a {@linkcode Plan}. */
export const planSchema = z.strictObject({
  prompt: z.string().nullable().describe("Prompt text, null where it was given as ids or made up"),
  prompt_ids: counts("Prompt as token ids").min(1).nullable()
    .describe(
      "Prompt as token ids; null where prompts are made up from the seed, a different one for each sequence",
    ),
  sampling: z.literal("greedy").describe("Sampling of the next token"),
  strategies: z.array(z.string()).min(1).describe(
    "Strategies to compare, in the order of reports",
  ),
  grid: z.object({
    prompt_tokens: values("Prompt lengths"),
    new_tokens: values("Tokens to generate per sequence"),
    batch: values("Sequences decoded together"),
    kv_dtype: z.array(kvDtypeSchema).min(1).describe(
      "Types of K and V on the GPU, each that of both, or K's/V's",
    ),
  }).catchall(z.array(z.union([z.string(), z.number()])).min(1).describe("Options of strategies"))
    .describe("Values of each setting and of the strategies' options; every combination is measured"),
  warmup_runs: count("Runs of each cell before the measured ones").nullable()
    .describe("Runs of each cell before the measured ones; null: until they are steady"),
  runs: positive("Measured runs of each cell").nullable()
    .describe("Measured runs of each cell; null: until all medians are precise enough"),
  target_ci: amount("Precise enough: half of the interval of the median of E2E, as a share of the median"),
  max_seconds: amount("Time for the measured runs of a group, after which no more are begun"),
  seed: count("Seed of the order of runs, of made-up prompts and of the bootstrap"),
  shard: z.strictObject({
    index: positive("Number of the shard, from 1"),
    of: positive("Number of shards"),
  }).optional().describe("Part of the grid that is measured, where it is dealt out; left out: all of it"),
});

/** @internal The plan of a benchmark. */
export type Plan = z.infer<typeof planSchema>;
