/** The record of what paging is for: how many sequences run at once in the same K/V memory. */
import { z } from "../../base/zod.ts";
import { amount, positive } from "./fields.ts";

const runningSchema = (strategy: string) =>
  z.strictObject({
    strategy: z.string().describe(strategy),
    mean: amount("Sequences running, mean over time"),
  });

/** Checks a {@linkcode PagingGain}. */
export const pagingGainSchema = z.strictObject({
  requests: positive("Requests that were served"),
  lengths: z.string().describe("Data set that lengths are fitted to"),
  budget_tokens: positive("Tokens whose K and V fit"),
  regions: runningSchema("Strategy with a region of a whole context for each sequence")
    .describe("Sequences in regions"),
  blocks: runningSchema("Strategy with blocks").describe("Sequences in blocks"),
});

/** Sequences that run at once in one memory, with regions of whole contexts and with blocks. */
export type PagingGain = z.infer<typeof pagingGainSchema>;
