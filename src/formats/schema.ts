/** Storage types in result files: names that are registered when a file is read. */
import { z } from "../base/zod.ts";
import type { Dtype } from "./registry.ts";

/** Checks the name of a storage type, one of `names` as they are then. */
export function dtypeSchema(names: readonly Dtype[]): z.ZodType<Dtype> {
  return z.string().meta({ enum: names }).refine((name) => names.includes(name), {
    error: () => `Invalid option: expected one of ${names.map((name) => JSON.stringify(name)).join("|")}`,
  });
}
