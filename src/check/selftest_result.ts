/** The record of a self-test: where it ran, and what every check found. */
import { z } from "../base/zod.ts";
import { type Environment, environmentSchema } from "../measure/record/environment_schema.ts";
import { type CheckRecord, checkSchema } from "../measure/record/checks.ts";
import { headOf, headSchema, recordReader } from "../measure/record/record.ts";
import type { Verdict } from "./kernel_checks.ts";

const KIND = { kind: "kvbench.selftest", version: 1 } as const;

const schema = z.strictObject({
  ...headSchema(KIND),
  created: z.iso.datetime().describe("When it began, in UTC"),
  environment: environmentSchema.describe("Where it ran"),
  checks: z.array(checkSchema).describe("In the order of a forward pass"),
});

export type SelfTest = z.infer<typeof schema>;

/** The record of verdicts. */
export function selfTestRecord(
  created: Date,
  environment: Environment,
  verdicts: readonly Verdict[],
): SelfTest {
  return {
    ...headOf(KIND),
    created: created.toISOString(),
    environment,
    checks: verdicts.map(checkRecord),
  };
}

/** Describes a verdict as records do. */
export function checkRecord(
  { kernel, variant, largestError, tolerance, verdict, detail }: Verdict,
): CheckRecord {
  const largest_error = largestError === Infinity ? null : largestError;
  return { kernel, variant, largest_error, tolerance, verdict, detail };
}

/** Checks that a value is a self-test. */
export const parseSelfTest = recordReader(schema, KIND);
