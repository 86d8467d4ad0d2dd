/**
 * The choice of kernel variants: those measured on this adapter before, the defaults, or those measured now.
 */
import type { Gpu } from "../../gpu/gpu.ts";
import { FEATURES, LIMITS } from "../../gpu/limits.ts";
import { autotune, type Trying, tuningTimeMs } from "../../model/autotune/autotune.ts";
import type { AutotuneOptions } from "../../model/autotune/options.ts";
import { KERNELS_TEXT } from "../../model/gpt2.ts";
import { type Tuning, tuningFor } from "../../model/tuning.ts";
import { progressBar } from "../terminal/progress.ts";
import { recallTuning, rememberTuning } from "./remembered_tuning.ts";

interface TuningOptions extends AutotuneOptions {
  /** True to use a remembered choice. */
  readonly autotune: boolean;
  /** True to ignore a remembered choice. */
  readonly retune: boolean;
}

/** Kernel variants that need no measurement. */
export interface KnownTuning {
  readonly tuning: Tuning;
  /** True if they were measured before; false if they are the defaults. */
  readonly remembered: boolean;
}

/** Returns the variants chosen on this adapter before, or the defaults of its kind. */
export async function knownTuning(gpu: Gpu, options: TuningOptions): Promise<KnownTuning> {
  if (options.autotune && !options.retune) {
    const tuning = await recallTuning(await keyOf(gpu, options));
    if (tuning !== undefined) return { tuning, remembered: true };
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
  const forgotten = await rememberTuning(await keyOf(gpu, options), tuning);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  bar.say(
    `Tried ${tried === 1 ? "1 kernel variant" : `${tried} kernel variants`} in ${seconds} s: ${
      sayChoice(tuning, tuningFor(gpu.facts))
    }` +
      (forgotten === undefined ? "" : `; not remembered, as ${forgotten}`),
  );
  return tuning;
}

/** Describes a choice, as far as it differs from the defaults. */
function sayChoice(tuning: Tuning, defaults: Tuning): string {
  const parts = [describeProducts, describeAttention].flatMap((say) =>
    say(tuning) === say(defaults) ? [] : [say(tuning)]
  );
  return parts.length === 0 ? "the defaults stay" : `chosen are ${parts.join("; ")}`;
}

/** Describes the variant that is being tried. */
function sayTrying({ what, variant, nth, count }: Trying): string {
  return `${what} ${nth} of ${count}: ${
    what === "products" ? describeProducts(variant) : describeAttention(variant)
  }`;
}

function describeProducts(tuning: Tuning): string {
  const row = tuning.subgroups
    ? "GEMV with a subgroup per output"
    : tuning.kSplit > 1
    ? `GEMV, split-K ${tuning.kSplit}`
    : "GEMV with 4 tiles per thread";
  const rows = tuning.wideRows
    ? `GEMM with ${tuning.tallRows ? 16 : 8} rows and 4 tiles per thread` +
      (tuning.broadcastRows ? ", inputs by subgroup broadcast" : "")
    : "GEMM in blocks of 64 × 64 outputs";
  const storage = tuning.texels ? "textures" : "buffers";
  return `weights and K/V in ${storage}, ${row}, ${rows}, tiles interleaved by ${tuning.tileGroup}, ` +
    `workgroups of ${tuning.linearLanes} threads`;
}

function describeAttention(tuning: Tuning): string {
  const { decodeAlong, decodeLanes, splitTokens, prefillShared, prefillLanes } = tuning;
  const split = splitTokens > 0 ? `split by ${splitTokens} positions` : "unsplit";
  const along = decodeAlong ? "the head" : "the context";
  return `attention with workgroups of ${decodeLanes} threads along ${along} in decode, ${split}, ` +
    (prefillShared ? "with K and V in workgroup memory in prefill" : `and ${prefillLanes} in prefill`);
}

/**
 * Returns the key of a choice: a hash of everything that it depends on. Of the driver's version WebGPU tells no more than
 * the description does.
 */
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
