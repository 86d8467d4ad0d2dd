/** The record of a start: whether kernels had been compiled before, and the time until measuring began. */
import { z } from "../../base/zod.ts";
import { amount } from "./fields.ts";

/** Checks a {@linkcode Start}. */
export const startSchema = z.strictObject({
  driver_cache: z.enum(["empty", "partial", "full", "unknown"]).describe(
    "Kernels that the driver's cache had compiled before: none, some of them, all of them; unknown where the cache " +
      "can't be seen. The start was cold unless it had all",
  ),
  tuning_remembered: z.boolean().describe(
    "True if kernel variants were remembered from an earlier measurement",
  ),
  model_ms: amount("Time to find the model, downloads among it, in ms"),
  weights_ms: amount("Time to read, pack and upload the weights, in ms"),
  kernels_ms: amount("Time that compiling the first kernels took beyond that, in ms"),
  tuning_ms: amount("Time to measure kernel variants, in ms; 0 where none were measured"),
  ready_ms: amount("Time from the start of the process until measuring began, in ms"),
});

/** A start. */
export type Start = z.infer<typeof startSchema>;
