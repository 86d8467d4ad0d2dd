/**
 * The quality of one cell in a result: a strategy with its settings, how far its logits are from full float32, and the
 * K/V memory that it holds for it.
 */
import { z } from "../../base/zod.ts";
import { bytes, count } from "../record/fields.ts";
import { settingsSchema } from "../record/cell.ts";
import { divergenceSummarySchema } from "./divergence_summary.ts";

/** Checks a {@linkcode ScoredCell}. */
export const scoredCellSchema = z.strictObject({
  strategy: z.string().describe("Decode strategy"),
  settings: settingsSchema.describe("The work and the options of the strategy"),
  kv_tokens: count("Tokens whose K and V are stored after the last token that was computed"),
  kv_bytes: bytes("Their bytes"),
  divergence: divergenceSummarySchema.describe(
    "Divergence from full float32, over the tokens after the prompt",
  ),
});

/** The quality of one cell. */
export type ScoredCell = z.infer<typeof scoredCellSchema>;

/** Returns the tokens of a cell's sequence whose K and V have been computed at its end: all but the last. */
export function contextTokens(
  { settings: { prompt_tokens, new_tokens } }: Pick<ScoredCell, "settings">,
): number {
  return prompt_tokens + new_tokens - 1;
}
