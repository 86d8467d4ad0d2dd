/**
 * Choosing kernel variants by measurement: variants of the linear products and of attention are timed on the model's own
 * shapes beside the defaults for the adapter's kind, the likeliest first, until the time is up. The defaults stay unless
 * something beats them clearly.
 */
import { TuningBudget } from "../../gpu/autotune.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import type { Tuning } from "../tuning.ts";
import { fastestAttention } from "./attention.ts";
import type { AutotuneOptions } from "./options.ts";
import { fastestNorms } from "./norms.ts";
import { fastestProducts } from "./products.ts";
import { TuningScratch } from "./scratch.ts";

/** The time for everything, compiling among it, in ms. */
const TIME_MS = 5000;
/** The same on OpenGL, where compiling is slow. */
const OPENGL_TIME_MS = 10_000;
/** The share of it that the products have. */
const PRODUCTS_SHARE = 0.7;
/** The share of what is left that the norms have. */
const NORMS_SHARE = 0.2;

/** The variant that is tried. */
export interface Trying {
  /** The subject of the variants. */
  readonly what: "products" | "attention";
  /** The variant. */
  readonly variant: Tuning;
  /** Its number among those of its kind, from 1 on. */
  readonly nth: number;
  /** Variants of its kind. */
  readonly count: number;
  /** Time that is left for trying, in ms. */
  readonly leftMs: number;
}

interface AutotuneProgress {
  /** Its time. Default: 5 s, on OpenGL 10 s. */
  readonly budget?: TuningBudget;
  /** Called before a variant is tried. */
  readonly onTry?: (trying: Trying) => void;
}

/** The time that choosing may take on an adapter, in ms. */
export function tuningTimeMs({ facts }: Pick<Gpu, "facts">): number {
  return facts.backend === "gl" ? OPENGL_TIME_MS : TIME_MS;
}

/**
 * Times the variants and returns the choice. Everything it allocates is freed.
 *
 * @throws {KvbenchError} If a kernel does not compile or the device fails.
 */
export async function autotune(
  gpu: Gpu,
  options: AutotuneOptions,
  { budget = new TuningBudget(tuningTimeMs(gpu)), onTry }: AutotuneProgress = {},
): Promise<Tuning> {
  const scratch = new TuningScratch(gpu, options);
  const onVariant = (what: Trying["what"]) => (variant: Tuning, nth: number, count: number) =>
    onTry?.({ what, variant, nth, count, leftMs: budget.leftMs });
  try {
    const products = await fastestProducts(scratch, budget.part(PRODUCTS_SHARE), onVariant("products"));
    const norms = await fastestNorms(scratch, products, budget.part(NORMS_SHARE));
    const attention = await fastestAttention(scratch, products, budget, onVariant("attention"));
    return { ...products, normedRows: norms.normedRows, ...attention, name: "measured" };
  } finally {
    scratch.dispose();
  }
}
