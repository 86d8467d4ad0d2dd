/**
 * The record that `profile` leaves behind: what each kernel took in a profiled run, and what the adapter was seen to
 * do at best in the same run. This file owns the JSON format; it takes no measurement.
 *
 * @module
 */
import { z } from "npm:zod@4.6.7";
import { environmentSchema } from "./environment_schema.ts";
import { amount, count, positive } from "./fields.ts";
import { parseRecord } from "./record.ts";

/** Version of the format. */
export const PROFILE_VERSION = 1;
/** What such a file calls itself. */
export const PROFILE_KIND = "kvbench.profile";

const schema = z.strictObject({
  schema_version: z.literal(PROFILE_VERSION).describe("Version of this format"),
  kind: z.literal(PROFILE_KIND).describe("What this file is"),
  created: z.iso.datetime().describe("When measuring began, ISO 8601 in UTC"),
  command: z.array(z.string()).describe("Arguments of the command that made this file"),
  environment: environmentSchema.describe("Where it was measured"),
  model: z.string().describe("Name or path of the checkpoint"),
  what: z.string().describe("What was profiled, such as a decode step of kv-cache at context 128"),
  peaks: z.strictObject({
    gb_per_s: amount("Most bytes per second that a streaming kernel moved, in 10⁹ bytes/s"),
    gmacs_per_s: amount("Most multiply-adds per second that an arithmetic kernel did, in 10⁹/s"),
  }).describe("What this adapter did at best in the same run"),
  kernels: z.array(z.strictObject({
    kernel: z.string().describe("Name of the kernel, with its role"),
    dispatches: positive("Dispatches that were timed"),
    ms: amount("GPU time of them together, in ms"),
    bytes: count("Bytes that they must read and write together"),
    operations: count("Multiply-adds that they do together"),
  })).min(1).describe("One entry per kernel"),
});

/**
 * A profile, as it stands in the JSON file.
 *
 * @internal Tagged so because `deno doc --lint` takes the inferred type for a private one of zod.
 */
export type ProfileResult = z.infer<typeof schema>;

/**
 * Checks that `json` is a profile of this version.
 *
 * @param source Where it comes from, for the error message.
 * @throws {KvbenchError} If it is not one. The message names the first offending field by its path.
 */
export function parseProfile(json: unknown, source: string): ProfileResult {
  return parseRecord(schema, { kind: PROFILE_KIND, version: PROFILE_VERSION, refused: {} }, json, source);
}
