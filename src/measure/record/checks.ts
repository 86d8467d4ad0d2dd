/**
 * The record of what an adapter was checked for: each check with its error, its tolerance and its verdict.
 */
import { z } from "../../base/zod.ts";

/** Checks the record of one check. */
export const checkSchema = z.strictObject({
  kernel: z.string().describe("File of the kernel, or what else was checked"),
  variant: z.string().describe("Variant of the kernel, or the strategy of golden prompts"),
  largest_error: z.number().nonnegative().nullable().describe(
    "Largest absolute difference from the reference; null where it is infinite, or nothing was computed",
  ),
  tolerance: z.number().nonnegative().nullable().describe("Largest difference that rounding explains"),
  verdict: z.enum(["right", "wrong", "failed"]).describe(
    "failed: it did not compile, or the device failed",
  ),
  detail: z.string().describe("Comparisons and the place of the largest difference, or the failure"),
});

/** A check of what an adapter computes. */
export type CheckRecord = z.infer<typeof checkSchema>;
