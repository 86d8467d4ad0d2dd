/**
 * The record that `bench` writes: environment, model, plan, and raw samples per cell. Owns the JSON format and its
 * version. Field names are snake_case as in the file, with units, and `.describe()` gives their meaning.
 */
import { z } from "../../base/zod.ts";
import { WEIGHT_DTYPES } from "../../formats/registry.ts";
import { dtypeSchema } from "../../formats/schema.ts";
import { accuracySchema } from "../quality/accuracy.ts";
import { scoredCellSchema } from "../quality/scored_cell.ts";
import { cellSchema } from "./cell.ts";
import { checkSchema } from "./checks.ts";
import { environmentSchema } from "./environment_schema.ts";
import { amount, count, counts, positive, sha256Field } from "./fields.ts";
import { pagingGainSchema } from "./paging_gain.ts";
import { startSchema } from "./start.ts";
import { planSchema } from "../run/plan.ts";
import { headSchema, type RecordKind, recordReader } from "./record.ts";

/** Name and versions of the format. The version goes up with every change that an older reader would misread or refuse. */
export const BENCH_KIND = {
  kind: "kvbench.bench",
  version: 6,
  refused: {
    1: "it holds neither raw gaps between tokens nor the machine's speed beside each run: measure again",
    2: "it does not say how exact narrower numbers are: measure again",
  },
  upgrades: {
    3: (record) => fromVersion5(fromVersion4(fromVersion3(record))),
    4: (record) => fromVersion5(fromVersion4(record)),
    5: fromVersion5,
  },
} as const satisfies RecordKind;

/** Checks the record of a model. */
export const modelSchema = z.strictObject({
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
      source: z.literal("synthetic").describe("Synthetic: the text means nothing"),
      seed: count("Seed of the weights"),
    }),
  ]).describe("Source of the weights"),
  weights_dtype: dtypeSchema(WEIGHT_DTYPES).describe("Type of the weights on the GPU"),
});

/** The order of timed runs. */
export const order = z.array(counts("Cells of the group, by their index in it"))
  .describe("Order in which the cells were timed: [runs][cells]");

const groupSchema = z.strictObject({
  seconds: amount("Time of the measured runs"),
  stopped: z.enum(["runs", "precise", "time"])
    .describe("Reason to stop: as many runs as asked for, precise enough, or out of time"),
  order,
});

const timingSchema = z.strictObject({
  ttft_ms: amount("TTFT of the run, in ms"),
  e2e_ms: amount("E2E of the run, in ms"),
  encode_ms: amount("Time that the host needed to record the run's commands, in ms"),
  yardstick_ms: amount("Time of the yardstick beside the run, in ms"),
});

const unfinishedSchema = z.strictObject({
  seconds: amount("Time of the measured runs so far"),
  order,
  timings: z.array(z.array(timingSchema).describe("Runs of one cell"))
    .describe("Measured runs so far: [cells][runs]"),
});

const schema = z.strictObject({
  ...headSchema(BENCH_KIND),
  created: z.iso.datetime().describe("Start of measuring, ISO 8601 in UTC"),
  complete: z.boolean().describe("True where every cell of the plan has been measured"),
  command: z.array(z.string()).describe("Arguments of the command that made this file"),
  environment: environmentSchema.describe("Environment of the measurement"),
  model: modelSchema.describe("Model that was run"),
  plan: planSchema.describe("Plan of the measurement"),
  self_check: z.array(checkSchema).nullable().describe(
    "Checks that the adapter passed with the kernel variants that were timed: golden prompts, or each kernel against " +
      "its CPU reference; null in results of versions up to 5",
  ),
  accuracy: z.array(accuracySchema)
    .describe(
      "Accuracy of weights, K and V in types narrower than float32: an entry for each type of K and V",
    ),
  quality: z.array(scoredCellSchema)
    .describe(
      "Quality of the cells that attend to less than everything or round, each with batch 1, on the first tokens of a text " +
        "that are as many as the cell's context; what is exact is scored with the plain cache",
    ),
  accuracy_missing: z.string().nullable().describe(
    "Reason why accuracy and quality are missing; null where it is not",
  ),
  sequences: pagingGainSchema.nullable().default(null).describe(
    "Sequences that run at once in the same K/V memory, by a simulation of scheduler and allocators; null where it " +
      "was not made",
  ),
  start: startSchema.nullable().describe(
    "Start of the process that began the measurement; null in results up to version 5 and in those joined of shards",
  ),
  groups: z.array(groupSchema).describe("Groups of cells that were measured, in order"),
  cells: z.array(cellSchema).describe("Cells that were measured: strategies with their settings"),
  unfinished: unfinishedSchema.nullable()
    .describe("Runs of an interrupted group, which are not made again; null where none was interrupted"),
}).superRefine(({ groups, cells }, { addIssue }) => {
  cells.forEach(({ group, ttft_ms, tpot_ms, e2e_ms, yardstick_ms }, i) => {
    const runs = groups[group]?.order.length;
    const lists = [ttft_ms.samples, tpot_ms?.samples ?? e2e_ms.samples, e2e_ms.samples, yardstick_ms];
    if (lists.every(({ length }) => length === runs)) return;
    const message = runs === undefined
      ? `its group ${group} is missing`
      : `expected ${runs} runs of each time, as its group has`;
    addIssue({ code: "custom", path: ["cells", i], message });
  });
});

/** @internal A bench result, as it stands in the JSON file. `docs/results.md` describes its fields. */
export type BenchResult = z.infer<typeof schema>;

/** The record of a group of cells as a whole. */
export type GroupRecord = z.infer<typeof groupSchema>;

/** The times of one measured run. */
export type Timing = z.infer<typeof timingSchema>;

/** The measured runs of a group that was interrupted. */
export type Unfinished = z.infer<typeof unfinishedSchema>;

/** The reader of bench results, with their format. */
export const BENCH_READER = recordReader(schema, BENCH_KIND);

/** Checks that a value is a bench result, as {@linkcode BENCH_READER} does, and returns it. */
export const parseResult: (json: unknown, source: string) => BenchResult = BENCH_READER;

/** Version 3 named all options in each cell and did not say where K and V are. */
function fromVersion3(record: Record<string, unknown>): Record<string, unknown> {
  const { cells } = record;
  if (!Array.isArray(cells)) return record;
  return { ...record, cells: cells.map((cell) => ({ ...cell, kv_storage: null })) };
}

/** Version 4 did not have the quality of cells. */
function fromVersion4(record: Record<string, unknown>): Record<string, unknown> {
  return { ...record, quality: [] };
}

/** Version 5 had neither the self-check, nor the work of each token's step, nor the start. */
function fromVersion5(record: Record<string, unknown>): Record<string, unknown> {
  const { cells } = record;
  if (!Array.isArray(cells)) return record;
  const work = { created_buffers: null, created_bytes: null, splits: null };
  const withWork = ({ memory, ...cell }: { memory?: { timeline?: object } }) => ({
    ...cell,
    memory: { ...memory, timeline: { ...memory?.timeline, ...work } },
  });
  return { ...record, self_check: null, start: null, cells: cells.map(withWork) };
}
