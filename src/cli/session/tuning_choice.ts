/**
 * Which kernel variants a run uses: what was measured on this adapter before, or the defaults, or what is measured now.
 * Choices are kept in Deno's Web Cache, which needs no permission.
 *
 * @module
 */
import { z } from "../../base/zod.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { FEATURES, LIMITS } from "../../gpu/ladder.ts";
import { autotune, type Trying, tuningTimeMs } from "../../model/autotune/autotune.ts";
import type { AutotuneOptions } from "../../model/autotune/options.ts";
import { KERNELS_TEXT } from "../../model/gpt2.ts";
import { type Tuning, tuningFor } from "../../model/tuning.ts";
import { progressBar } from "../terminal/progress.ts";

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
  sampleBits: z.int().positive(),
  maxSingleRows: z.int().nonnegative(),
});

/** Options of {@link knownTuning}. */
export interface TuningOptions extends AutotuneOptions {
  /** Whether a remembered choice may be taken. */
  readonly autotune: boolean;
  /** Whether a remembered choice is ignored. */
  readonly retune: boolean;
}

/** Kernel variants that need no measurement. */
export interface KnownTuning {
  readonly tuning: Tuning;
  /** Whether they were measured before; the defaults, otherwise. */
  readonly remembered: boolean;
}

/** What was chosen on this adapter before, or the defaults of its kind. */
export async function knownTuning(gpu: Gpu, options: TuningOptions): Promise<KnownTuning> {
  if (options.autotune && !options.retune) {
    const stored = await (await openCache())?.match(await keyOf(gpu, options));
    const remembered = schema.safeParse(await stored?.json().catch(() => undefined));
    if (remembered.success) return { tuning: remembered.data, remembered: true };
  }
  return { tuning: tuningFor(gpu.facts), remembered: false };
}

/**
 * Measures variants, remembers the choice, and says on stderr what it tries and what it chose.
 *
 * @throws {KvbenchError} If a kernel does not compile or the device fails.
 */
export async function measureTuning(gpu: Gpu, options: AutotuneOptions): Promise<Tuning> {
  const bar = progressBar();
  const timeMs = tuningTimeMs(gpu);
  const start = performance.now();
  let tuning: Tuning;
  let tried = 0;
  bar.start("Trying kernel variants", timeMs / 1000, "seconds");
  try {
    tuning = await autotune(gpu, options, {
      onTry: (trying) => {
        tried++;
        bar.update((timeMs - trying.leftMs) / 1000, sayTrying(trying));
      },
    });
  } finally {
    bar.stop();
  }
  const cache = await openCache();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  bar.say(
    `Tried ${tried} kernel variants on ${gpu.facts.description} in ${seconds} s: ${describe(tuning)}` +
      (cache ? "" : "; not remembered, as this runtime has no Web Cache"),
  );
  const key = await keyOf(gpu, options);
  await cache?.delete(key);
  await cache?.put(key, new Response(JSON.stringify(tuning)));
  return tuning;
}

async function openCache(): Promise<Cache | undefined> {
  if (typeof caches === "undefined") return undefined;
  return await caches.open(CACHE_NAME).catch(() => undefined);
}

/** What is being tried, in words. */
function sayTrying({ what, variant, nth, count }: Trying): string {
  return `${what} ${nth} of ${count}: ${
    what === "products" ? describeProducts(variant) : describeAttention(variant)
  }`;
}

/** What a choice means, in words. */
function describe(tuning: Tuning): string {
  return `${describeProducts(tuning)}; ${describeAttention(tuning)}`;
}

function describeProducts(tuning: Tuning): string {
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
    `${tuning.tileGroup}, ${tuning.linearLanes} lanes`;
}

function describeAttention({ decodeLanes, splitTokens, prefillLanes }: Tuning): string {
  return `attention with ${decodeLanes} lanes to decode ` +
    `${splitTokens > 0 ? `by ${splitTokens} positions` : "a whole context"} and ${prefillLanes} to prefill`;
}

/** Where a choice is kept: a hash of everything it depends on. WebGPU tells no driver version but what the description holds. */
async function keyOf(gpu: Gpu, { config, weightsDtype, kvDtype }: AutotuneOptions): Promise<string> {
  const { webgpu, backend, description, vendor, architecture, device } = gpu.facts;
  const { features, limits } = gpu.device;
  const { nLayer, nHead, nEmbd, nInner, nCtx, vocabSize } = config;
  const text = JSON.stringify([
    [webgpu, backend, description, vendor, architecture, device, Deno.version.deno],
    [FEATURES.filter((name) => features.has(name)), LIMITS.map((name) => limits[name])],
    [nLayer, nHead, nEmbd, nInner, nCtx, vocabSize, weightsDtype, kvDtype],
    KERNELS_TEXT,
  ]);
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `https://kvbench.invalid/${new Uint8Array(hash).toHex()}`;
}
