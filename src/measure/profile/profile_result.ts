/**
 * The record that `profile` writes: the time of each kernel in a profiled run, and the adapter's best speeds in the same
 * run. Owns the JSON format.
 */
import { z } from "../../base/zod.ts";
import { WEIGHT_DTYPES } from "../../formats/registry.ts";
import { kvDtypeSchema } from "../../formats/kv_dtype.ts";
import { dtypeSchema } from "../../formats/schema.ts";
import { environmentSchema } from "../record/environment_schema.ts";
import { amount, count, positive } from "../record/fields.ts";
import { headSchema, type RecordReader, recordReader } from "../record/record.ts";
import { GPU_KINDS } from "./starving.ts";

/** Name and version of the format. */
export const PROFILE_KIND = { kind: "kvbench.profile", version: 1 } as const;

const kernels = (what: string) =>
  z.array(z.strictObject({
    kernel: z.string().describe("Name of the kernel and, in brackets, its file"),
    dispatches: positive("Dispatches in one step"),
    ms: amount("GPU time of all dispatches, in ms, median over the profiled steps"),
    bytes: count("Bytes that all dispatches must read and write, mean over the profiled steps"),
    operations: count("Multiply-adds of all dispatches, mean over the profiled steps"),
    workgroups: positive("Workgroups of one dispatch").optional(),
    way: z.strictObject({
      lanes: positive("Lanes of a workgroup"),
      trips: positive("Reads of a lane one after another, of weight tiles or of vectors"),
      waits: positive("Waits of a lane for memory, one after another"),
      lines: amount(
        "128-byte lines that one load of a wave touches, over the least that could hold its bytes",
      ),
    }).optional().describe("The way of its lanes through what it reads most of, where it is known"),
    starves_on: z.enum(GPU_KINDS.map(({ kind }) => kind)).optional().describe(
      "The smallest kind of GPU with more compute units than it has workgroups, or on which waiting would take longer " +
        "than its bytes and its arithmetic; absent where there is none",
    ),
    best_ms: amount(
      "GPU time of a matrix product of one row by its fastest variant, in ms, median over as many rounds in turn with the " +
        "steps, which are of one row too",
    ).optional(),
  })).min(1).describe(what);

const schema = z.strictObject({
  ...headSchema(PROFILE_KIND),
  created: z.iso.datetime().describe("Start of measuring, ISO 8601 in UTC"),
  command: z.array(z.string()).describe("Arguments of the command that made this file"),
  environment: environmentSchema.describe("Environment of the measurement"),
  model: z.string().describe("Name or path of the checkpoint"),
  weights_dtype: dtypeSchema(WEIGHT_DTYPES).describe("Storage type of weight matrices on the GPU"),
  kv_dtype: kvDtypeSchema.describe("Storage types of K and V on the GPU: that of both, or K's/V's"),
  strategy: z.string().describe("Strategy of K/V memory"),
  prompt_tokens: positive("Tokens of each prompt"),
  batch: positive("Sequences that are decoded together").optional(),
  steps: positive("Decode steps that were profiled"),
  what: z.string().describe(
    "Description of the profiled step, such as a decode step with a cache at context 130 to 144",
  ),
  peaks: z.strictObject({
    gb_per_s: amount("Most bytes per second that a streaming kernel moved, in 10⁹ bytes/s"),
    gmacs_per_s: amount("Most multiply-adds per second that an arithmetic kernel did, in 10⁹/s"),
  }).describe("Best speeds of the adapter in the same run"),
  kernels: kernels("One entry per kernel of a decode step"),
  prefill_kernels: kernels("One entry per kernel of the prefill"),
  step: z.strictObject({
    wall_ms: amount("Wall time of an unprofiled step, up to the fence behind it, in ms"),
    encode_ms: amount("Time in which the host records that step, in ms"),
    submit_ms: amount("Time in which the host submits it, in ms"),
    pass_ms: amount("GPU time of that step, all kernels in one pass, in ms"),
    kernels_ms: amount("GPU time of all kernels of a profiled step, each in a pass of its own, in ms"),
  }).describe("Account of a decode step's time: medians over as many steps of either kind"),
});

/** @internal A profile, as it stands in the JSON file. */
export type ProfileResult = z.infer<typeof schema>;

/** Checks that a value is a profile. */
export const parseProfile: RecordReader<ProfileResult> = recordReader(schema, PROFILE_KIND);
