/**
 * The record that `profile` leaves behind: what each kernel took in a profiled run, and what the adapter was seen to
 * do at best in the same run. This file owns the JSON format; it takes no measurement.
 *
 * @module
 */
import { z } from "../../base/zod.ts";
import { KV_DTYPES, WEIGHT_DTYPES } from "../../formats/registry.ts";
import { dtypeSchema } from "../../formats/schema.ts";
import { STRATEGY_NAMES } from "../../kv/strategy.ts";
import { environmentSchema } from "../record/environment_schema.ts";
import { amount, count, positive } from "../record/fields.ts";
import { parseRecord } from "../record/record.ts";

/** Version of the format. */
export const PROFILE_VERSION = 1;
/** What such a file calls itself. */
export const PROFILE_KIND = "kvbench.profile";

const kernels = (what: string) =>
  z.array(z.strictObject({
    kernel: z.string().describe("What the kernel does and, in brackets, its file"),
    dispatches: positive("Dispatches in one step"),
    ms: amount("GPU time of them together, in ms, median over the profiled steps"),
    bytes: count("Bytes that they must read and write together, mean over the profiled steps"),
    operations: count("Multiply-adds that they do together, mean over the profiled steps"),
    best_ms: amount(
      "GPU time of a matrix product by the variant that did it fastest, in ms, median over as many rounds in turn with the steps",
    ).optional(),
  })).min(1).describe(what);

const schema = z.strictObject({
  schema_version: z.literal(PROFILE_VERSION).describe("Version of this format"),
  kind: z.literal(PROFILE_KIND).describe("What this file is"),
  created: z.iso.datetime().describe("When measuring began, ISO 8601 in UTC"),
  command: z.array(z.string()).describe("Arguments of the command that made this file"),
  environment: environmentSchema.describe("Where it was measured"),
  model: z.string().describe("Name or path of the checkpoint"),
  weights_dtype: dtypeSchema(WEIGHT_DTYPES).describe("How weight matrices are stored on the GPU"),
  kv_dtype: dtypeSchema(KV_DTYPES).describe("How K and V are stored on the GPU"),
  strategy: z.enum(STRATEGY_NAMES).describe("Where K and V are kept"),
  prompt_tokens: positive("Tokens of the prompt"),
  steps: positive("Decode steps that were profiled"),
  what: z.string().describe("What was profiled, such as a decode step of kv-cache at context 130 to 144"),
  peaks: z.strictObject({
    gb_per_s: amount("Most bytes per second that a streaming kernel moved, in 10⁹ bytes/s"),
    gmacs_per_s: amount("Most multiply-adds per second that an arithmetic kernel did, in 10⁹/s"),
  }).describe("What this adapter did at best in the same run"),
  kernels: kernels("One entry per kernel of a decode step"),
  prefill_kernels: kernels("One entry per kernel of the prefill"),
  step: z.strictObject({
    wall_ms: amount("Wall time of a step that is not profiled, up to the fence behind it, in ms"),
    encode_ms: amount("Time in which the host records it, in ms"),
    submit_ms: amount("Time in which the host hands it to the GPU, in ms"),
    pass_ms: amount("GPU time of it, all kernels in one pass, in ms"),
    kernels_ms: amount("GPU time of all kernels of a profiled step, each in a pass of its own, in ms"),
  }).describe("Where the time of a decode step goes: medians over as many steps of either kind"),
});

/**
 * A profile, as it stands in the JSON file.
 *
 * @internal Tagged so because `deno doc --lint` takes the inferred type for a private one of zod.
 */
export type ProfileResult = z.infer<typeof schema>;

/** The format as a JSON Schema (draft 2020-12) with a description of every field. */
export function profileJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(schema);
}

/**
 * Checks that `json` is a profile of this version.
 *
 * @param source Where it comes from, for the error message.
 * @throws {KvbenchError} If it is not one. The message names the first offending field by its path.
 */
export function parseProfile(json: unknown, source: string): ProfileResult {
  return parseRecord(schema, { kind: PROFILE_KIND, version: PROFILE_VERSION, refused: {} }, json, source);
}
