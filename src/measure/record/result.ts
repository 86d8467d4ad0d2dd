/**
 * The record that `bench` leaves behind: environment, model, plan, and raw samples per cell. This file owns the JSON
 * format and its version; it takes no measurement and draws nothing. Field names are snake_case as in the file, units
 * are in the names, and each field says what it means in `.describe()`.
 *
 * @module
 */
import { z } from "../../base/zod.ts";
import { WEIGHT_DTYPES } from "../../formats/registry.ts";
import { dtypeSchema } from "../../formats/schema.ts";
import { accuracySchema } from "../quality/accuracy.ts";
import { cellSchema } from "./cell.ts";
import { environmentSchema } from "./environment_schema.ts";
import { amount, count, counts, positive, sha256Field } from "./fields.ts";
import { planSchema } from "../run/plan.ts";
import { parseRecord } from "./record.ts";

/** Version of the format. It goes up with every change that an older reader would misread or refuse. */
export const SCHEMA_VERSION = 3;

/** How such a file is known. */
export const BENCH_KIND = "kvbench.bench";

/** Why versions that are no longer read are not. */
const REFUSED: Readonly<Record<number, string>> = {
  1: "it holds neither raw gaps between tokens nor the machine's speed beside each run: measure again",
  2: "it does not say how exact narrower numbers are: measure again",
};

const modelSchema = z.strictObject({
  name: z.string().describe("Name or path of the checkpoint"),
  n_layer: positive("Layers"),
  n_head: positive("Attention heads per layer"),
  n_embd: positive("Width of the residual stream"),
  n_ctx: positive("Longest context, in tokens"),
  vocab_size: positive("Tokens in the vocabulary"),
  n_parameters: positive("Parameters, the tied head counted once"),
  weights: z.discriminatedUnion("source", [
    z.strictObject({
      source: z.literal("checkpoint").describe("Read from a file"),
      sha256: sha256Field(
        "SHA-256 of the file's bytes, in hex; of several files, that of their hashes with spaces between them",
      ),
    }),
    z.strictObject({
      source: z.literal("synthetic").describe("Made up: the text means nothing"),
      seed: count("Seed they were made from"),
    }),
  ]).describe("Where the weights come from"),
  weights_dtype: dtypeSchema(WEIGHT_DTYPES).describe("Type of the weights on the GPU"),
});

const order = z.array(counts("Cells of the group, by their index in it"))
  .describe("Order in which the cells were timed: [runs][cells]");

const groupSchema = z.strictObject({
  seconds: amount("How long the measured runs took"),
  stopped: z.enum(["runs", "precise", "time"])
    .describe("Why there were no more runs: as many as asked for, precise enough, or out of time"),
  order,
});

const timingSchema = z.strictObject({
  ttft_ms: amount("TTFT of the run, in ms"),
  e2e_ms: amount("E2E of the run, in ms"),
  encode_ms: amount("Time that the host needed to record the run's commands, in ms"),
  yardstick_ms: amount("Time of the yardstick beside the run, in ms"),
});

const unfinishedSchema = z.strictObject({
  seconds: amount("How long the measured runs took so far"),
  order,
  timings: z.array(z.array(timingSchema).describe("Runs of one cell"))
    .describe("Measured runs so far: [cells][runs]"),
});

const schema = z.strictObject({
  schema_version: z.literal(SCHEMA_VERSION).describe("Version of this format"),
  kind: z.literal(BENCH_KIND).describe("What this file is"),
  created: z.iso.datetime().describe("When measuring began, ISO 8601 in UTC"),
  complete: z.boolean().describe("Whether every cell of the plan has been measured"),
  command: z.array(z.string()).describe("Arguments of the command that made this file"),
  environment: environmentSchema.describe("Where it was measured"),
  model: modelSchema.describe("What was run"),
  plan: planSchema.describe("What was to be measured"),
  accuracy: z.array(accuracySchema)
    .describe(
      "How exact weights, K and V that are narrower than float32 are: an entry for each type of K and V",
    ),
  accuracy_missing: z.string().nullable().describe(
    "Why there is no entry where there should be; null otherwise",
  ),
  groups: z.array(groupSchema).describe("Groups of cells that were measured, in order"),
  cells: z.array(cellSchema).describe("Cells that were measured: strategies with settings"),
  unfinished: unfinishedSchema.nullable()
    .describe("The group after those, where it was interrupted: runs that need not be made again"),
}).superRefine(({ groups, cells }, { addIssue }) => {
  cells.forEach(({ group, ttft_ms, tpot_ms, e2e_ms, yardstick_ms }, i) => {
    const runs = groups[group]?.order.length;
    const lists = [ttft_ms.samples, tpot_ms?.samples ?? e2e_ms.samples, e2e_ms.samples, yardstick_ms];
    if (lists.every(({ length }) => length === runs)) return;
    const message = runs === undefined
      ? `its group ${group} is not there`
      : `it has not ${runs} runs of everything, as its group has`;
    addIssue({ code: "custom", path: ["cells", i], message });
  });
});

/**
 * A bench result, as it stands in the JSON file. Read the fields' meanings from {@linkcode resultJsonSchema}.
 *
 * @internal Tagged so because `deno doc --lint` takes the inferred type for a private one of zod.
 */
export type BenchResult = z.infer<typeof schema>;

/**
 * What is recorded of a group of cells as a whole.
 *
 * @internal For the same reason.
 */
export type GroupRecord = z.infer<typeof groupSchema>;

/**
 * What one measured run yields.
 *
 * @internal For the same reason.
 */
export type Timing = z.infer<typeof timingSchema>;

/**
 * The measured runs of a group that was interrupted.
 *
 * @internal For the same reason.
 */
export type Unfinished = z.infer<typeof unfinishedSchema>;

/** The format as a JSON Schema (draft 2020-12) with a description of every field. */
export function resultJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(schema);
}

/**
 * Checks that `json` is a bench result of this version.
 *
 * @param json What `JSON.parse` returned, or a record about to be written.
 * @param source Where it comes from, for the error message: a path, or "stdin".
 * @throws {KvbenchError} If it is not one. The message names the first offending field by its path.
 */
export function parseResult(json: unknown, source: string): BenchResult {
  return parseRecord(schema, { kind: BENCH_KIND, version: SCHEMA_VERSION, refused: REFUSED }, json, source);
}
