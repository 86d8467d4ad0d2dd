/**
 * Which kernel variants a run uses: what was measured on this adapter before, what is measured now, or the defaults.
 * Choices are kept in Deno's Web Cache, which needs no permission.
 *
 * @module
 */
import { z } from "../../base/zod.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { FEATURES, LIMITS } from "../../gpu/ladder.ts";
import { autotune } from "../../model/autotune/autotune.ts";
import type { AutotuneOptions } from "../../model/autotune/options.ts";
import { KERNELS_TEXT } from "../../model/gpt2.ts";
import { type Tuning, tuningFor } from "../../model/tuning.ts";

const CACHE_NAME = "kvbench-tuning";

/** A remembered choice; one that looks different is measured again. */
const schema: z.ZodType<Tuning> = z.strictObject({
  name: z.literal("measured"),
  texels: z.boolean(),
  tileGroup: z.int().positive(),
  wideRows: z.boolean(),
  tallRows: z.boolean(),
  kSplit: z.int().positive(),
  subgroups: z.boolean(),
  wideRowTiles: z.int().positive(),
  linearLanes: z.int().positive(),
  normLanes: z.int().positive(),
  decodeLanes: z.int().positive(),
  splitTokens: z.int().nonnegative(),
  prefillLanes: z.int().positive(),
  argmaxLanes: z.int().positive(),
  maxSingleRows: z.int().nonnegative(),
});

/** Options of {@link chooseTuning}. */
export interface TuningOptions extends AutotuneOptions {
  /** Whether variants may be measured. */
  readonly autotune: boolean;
  /** Whether a remembered choice is ignored. */
  readonly retune: boolean;
}

/**
 * Chooses, and says so on stderr where it measures.
 *
 * @throws {KvbenchError} If a kernel does not compile or the device fails.
 */
export async function chooseTuning(gpu: Gpu, options: TuningOptions): Promise<Tuning> {
  if (!options.autotune) return tuningFor(gpu.facts);
  const cache = typeof caches === "undefined"
    ? undefined
    : await caches.open(CACHE_NAME).catch(() => undefined);
  const key = `https://kvbench.invalid/${await keyOf(gpu, options)}`;
  const stored = await cache?.match(key);
  const remembered = schema.safeParse(await stored?.json().catch(() => undefined));
  if (remembered.success && !options.retune) return remembered.data;
  const start = performance.now();
  const tuning = await autotune(gpu, options);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.error(
    `Chose kernel variants for ${gpu.facts.description} in ${seconds} s: ${describe(tuning)}` +
      (cache ? "" : "; not remembered, as this runtime has no Web Cache"),
  );
  await cache?.delete(key);
  await cache?.put(key, new Response(JSON.stringify(tuning)));
  return tuning;
}

/** What a choice means, in words. */
function describe(tuning: Tuning): string {
  const row = tuning.subgroups
    ? "one row by a subgroup a sum"
    : tuning.kSplit > 1
    ? `one row by ${tuning.kSplit} lanes a sum`
    : `one row with four tiles a lane from ${tuning.wideRowTiles} tiles on`;
  const rows = `many rows by ${tuning.tallRows ? "sixteen" : "eight"} with ` +
    `${tuning.wideRows ? "four tiles" : "one tile"} a lane`;
  return `weights and K/V in ${
    tuning.texels ? "textures" : "buffers"
  }, ${row}, ${rows}, tiles in groups of ` +
    `${tuning.tileGroup}, ${tuning.linearLanes} lanes; attention with ${tuning.decodeLanes} lanes to decode ` +
    `${tuning.splitTokens > 0 ? `by ${tuning.splitTokens} positions` : "a whole context"} and ` +
    `${tuning.prefillLanes} to prefill`;
}

/** A hash of everything a choice depends on. WebGPU tells no driver version but what the description holds. */
async function keyOf(gpu: Gpu, { config, weightsDtype, kvDtype }: TuningOptions): Promise<string> {
  const { webgpu, backend, description, vendor, architecture, device } = gpu.facts;
  const { features, limits } = gpu.device;
  const { nLayer, nHead, nEmbd, nInner, nCtx, vocabSize } = config;
  const text = JSON.stringify([
    [webgpu, backend, description, vendor, architecture, device, Deno.version.deno],
    [FEATURES.filter((name) => features.has(name)), LIMITS.map((name) => limits[name])],
    [nLayer, nHead, nEmbd, nInner, nCtx, vocabSize, weightsDtype, kvDtype],
    KERNELS_TEXT,
  ]);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))).toHex();
}
