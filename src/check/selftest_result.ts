/**
 * The record of a self-test: where it ran, and what every check found.
 *
 * @module
 */
import { z } from "../base/zod.ts";
import { type Environment, environmentSchema } from "../measure/record/environment_schema.ts";
import { recordReader } from "../measure/record/record.ts";
import type { Verdict } from "./kernel_checks.ts";

const KIND = "kvbench.selftest";
const VERSION = 1;

const schema = z.strictObject({
  schema_version: z.literal(VERSION),
  kind: z.literal(KIND),
  created: z.iso.datetime().describe("When it began, in UTC"),
  environment: environmentSchema.describe("Where it ran"),
  checks: z.array(z.strictObject({
    kernel: z.string().describe("File of the kernel, or what else was checked"),
    variant: z.string().describe("Which variant of it"),
    largest_error: z.number().nonnegative().nullable().describe(
      "Largest absolute difference from the reference; null where it is infinite, or nothing was computed",
    ),
    tolerance: z.number().nonnegative().nullable().describe("What rounding explains"),
    verdict: z.enum(["right", "wrong", "failed"]).describe(
      "failed: it did not compile, or the device failed",
    ),
    detail: z.string().describe("What was compared and where it differs most, or what failed"),
  })).describe("In the order of a forward pass"),
});

export type SelfTest = z.infer<typeof schema>;

/** The record of verdicts. */
export function selfTestRecord(
  created: Date,
  environment: Environment,
  verdicts: readonly Verdict[],
): SelfTest {
  return {
    schema_version: VERSION,
    kind: KIND,
    created: created.toISOString(),
    environment,
    checks: verdicts.map(({ kernel, variant, largestError, tolerance, verdict, detail }) => ({
      kernel,
      variant,
      largest_error: largestError === Infinity ? null : largestError,
      tolerance,
      verdict,
      detail,
    })),
  };
}

/** Checks that a value is a self-test. */
export const parseSelfTest = recordReader(schema, {
  kind: KIND,
  version: VERSION,
  refused: {},
});
