/**
 * Kernel variants that were measured before, in Deno's Web Cache, which needs no permission. An entry that can't be
 * read or is not whole counts as none.
 */
import { openWebCache } from "../../base/web_cache.ts";
import { z } from "../../base/zod.ts";
import type { Tuning } from "../../model/tuning.ts";

/** The name of the Web Cache that keeps choices. */
export const CACHE_NAME = "kvbench-tuning";

const schema: z.ZodType<Tuning> = z.strictObject({
  name: z.literal("measured"),
  texels: z.boolean(),
  tileGroup: z.int().positive(),
  byVector: z.boolean(),
  wideRows: z.boolean(),
  tallRows: z.boolean(),
  broadcastRows: z.boolean(),
  kSplit: z.int().positive(),
  subgroups: z.boolean(),
  linearLanes: z.int().positive(),
  normLanes: z.int().positive(),
  decodeAlong: z.boolean(),
  decodeLanes: z.int().positive(),
  splitTokens: z.int().nonnegative(),
  prefillShared: z.boolean(),
  prefillLanes: z.int().positive(),
  argmaxLanes: z.int().positive(),
  argmaxParts: z.int().positive(),
  flatLanes: z.int().positive(),
  sampleLanes: z.int().positive(),
  sampleBits: z.int().positive(),
  maxSingleRows: z.int().nonnegative(),
  normedRows: z.int().nonnegative(),
  storedRows: z.int().nonnegative(),
  chosenRows: z.int().nonnegative(),
});

/** The choice that was kept under an address; undefined where there is none. */
export async function recallTuning(key: string): Promise<Tuning | undefined> {
  try {
    const stored = await (await openWebCache(CACHE_NAME))?.match(key);
    return schema.safeParse(await stored?.json()).data;
  } catch {
    return undefined; // it is measured again
  }
}

/** Keeps a choice under an address. Returns why it is not kept; undefined where it is. */
export async function rememberTuning(key: string, tuning: Tuning): Promise<string | undefined> {
  const cache = await openWebCache(CACHE_NAME);
  if (cache === undefined) return "this runtime has no Web Cache";
  try {
    await cache.delete(key);
    await cache.put(key, new Response(JSON.stringify(tuning)));
    return undefined;
  } catch (error) {
    return `the Web Cache can't be written (${(error as Error).message.split("\n")[0]})`;
  }
}
