/**
 * The record that `quality` writes: how far strategies and storage types are from full float32 on a text, and what they
 * hold for it. Owns the JSON format.
 */
import { z } from "../../base/zod.ts";
import { environmentSchema } from "../record/environment_schema.ts";
import { count, counts, positive } from "../record/fields.ts";
import { headSchema, type RecordReader, recordReader } from "../record/record.ts";
import { modelSchema } from "../record/result.ts";
import { estimate } from "./divergence_summary.ts";
import { scoredCellSchema } from "./scored_cell.ts";

/** Name and version of the format. */
export const QUALITY_KIND = { kind: "kvbench.quality", version: 1 } as const;

const recalled = (what: string) =>
  z.array(z.strictObject({
    positions: positive("Tokens that were to be recalled"),
    accuracy: estimate("Share of them that were the likeliest token"),
    gain: estimate(
      "Log-probability of the right token less that in full float32 where the sequence stands for the first time, in nats",
    ),
  })).describe(`${what}, an entry for each distance`);

const schema = z.strictObject({
  ...headSchema(QUALITY_KIND),
  created: z.iso.datetime().describe("Start of measuring, ISO 8601 in UTC"),
  command: z.array(z.string()).describe("Arguments of the command that made this file"),
  environment: environmentSchema.describe("Environment of the measurement"),
  model: modelSchema.describe("Model that was run"),
  text: z.strictObject({
    source: z.string().describe("Name of the file"),
    tokens: positive("Tokens of the text"),
    parts: positive("Parts that were scored, each on its own"),
    context: positive("Tokens of a part"),
    prompt_tokens: positive("Tokens of a part that were computed at once and not scored"),
  }).describe("Text that was scored"),
  reference_perplexity: estimate("Perplexity of full float32 on the same tokens"),
  cells: z.array(scoredCellSchema).min(1).describe("Cells that were scored: strategies with their settings"),
  retrieval: z.strictObject({
    seed: count("Seed of the sequences"),
    distances: counts("Lengths of the random sequences: the distance to what must be recalled, in tokens"),
    reference: recalled("Full float32"),
    cells: z.array(recalled("A cell")).describe("In the order of the cells"),
  }).nullable().describe("Random sequences of tokens that stand twice; null where they were not asked for"),
});

/** @internal A quality record, as it stands in the JSON file. */
export type QualityResult = z.infer<typeof schema>;

/** Checks that a value is a quality record. */
export const parseQuality: RecordReader<QualityResult> = recordReader(schema, QUALITY_KIND);
