/** The block tables of running sequences at one moment. */
import { z } from "../base/zod.ts";
import { amount, count, counts, positive } from "../measure/record/fields.ts";

/** Checks a {@linkcode Layout}. */
export const layoutSchema = z.strictObject({
  at_ms: amount("Time, in ms from the start"),
  block_tokens: positive("Tokens in a block"),
  pool_blocks: positive("Blocks of the pool"),
  sequences: z.array(z.strictObject({
    request: count("Index of the request"),
    tokens: count("Tokens whose K and V are stored"),
    blocks: counts("Physical block of each logical block"),
  })).describe("The first sequences of the step"),
});

/** Block tables: the physical blocks of sequences in their logical order. */
export type Layout = z.infer<typeof layoutSchema>;

/** Most sequences of a layout. */
export const LAYOUT_SEQUENCES = 8;
