/**
 * What a benchmark is asked to measure: a grid of settings, the strategies, and when to stop. A plan is part of the
 * result file, so that an interrupted run can be taken up again from the file alone.
 *
 * @module
 */
import { z } from "../../base/zod.ts";
import { KV_DTYPES } from "../../formats/registry.ts";
import { dtypeSchema } from "../../formats/schema.ts";
import { GROWTHS, STRATEGY_NAMES } from "../../kv/strategy.ts";
import { amount, count, counts, positive } from "../record/fields.ts";

const values = (what: string) => z.array(z.int().positive()).min(1).describe(what);

/** Checks a {@linkcode Plan}. */
export const planSchema = z.strictObject({
  prompt: z.string().nullable().describe("Prompt text, null where it was given as ids or made up"),
  prompt_ids: counts("Prompt as token ids").min(1).nullable()
    .describe(
      "Prompt as token ids; null where prompts are made up from the seed, another one for each sequence",
    ),
  sampling: z.literal("greedy").describe("How the next token is chosen"),
  strategies: z.array(z.enum(STRATEGY_NAMES)).min(1).describe(
    "Strategies to compare, in the order of reports",
  ),
  grid: z.strictObject({
    prompt_tokens: values("Prompt lengths"),
    new_tokens: values("Tokens to generate per sequence"),
    batch: values("Sequences decoded together"),
    kv_dtype: z.array(dtypeSchema(KV_DTYPES)).min(1).describe("Types of K and V on the GPU"),
    block_size: values("Tokens per KV block of paged"),
    growth: z.array(z.enum(GROWTHS)).min(1)
      .describe("How kv-cache gets its memory: the maximum up front, or grown by copying"),
    kv_capacity_tokens: values(
      "Tokens per sequence that a static kv-cache reserves and the pool of paged holds",
    ),
  }).describe("Values of each setting; every combination is measured"),
  warmup_runs: count("Runs of each cell before the measured ones").nullable()
    .describe("Runs of each cell before the measured ones; null: until they are steady"),
  runs: positive("Measured runs of each cell").nullable()
    .describe("Measured runs of each cell; null: until all medians are precise enough"),
  target_ci: amount("Precise enough: half of the interval of the median of E2E, as a share of the median"),
  max_seconds: amount("Time for the measured runs of a group, after which no more are begun"),
  seed: count("Seed of the order of runs, of made-up prompts and of the bootstrap"),
});

/**
 * What is to be measured.
 *
 * @internal Tagged so because `deno doc --lint` takes the inferred type for a private one of zod.
 */
export type Plan = z.infer<typeof planSchema>;
