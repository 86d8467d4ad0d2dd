/**
 * Choosing kernel variants by measurement: every variant of the linear products and of attention is timed on the
 * model's own shapes, and the sums decide. The defaults for the adapter's kind stay unless something beats them clearly.
 *
 * @module
 */
import type { Gpu } from "../../gpu/gpu.ts";
import type { Tuning } from "../tuning.ts";
import { fastestAttention } from "./attention.ts";
import type { AutotuneOptions } from "./options.ts";
import { fastestProducts } from "./products.ts";
import { TuningScratch } from "./scratch.ts";

/**
 * Times the variants and returns the choice. Everything it allocates is freed.
 *
 * @throws {KvbenchError} If a kernel does not compile or the device fails.
 */
export async function autotune(gpu: Gpu, options: AutotuneOptions): Promise<Tuning> {
  const scratch = new TuningScratch(gpu, options);
  try {
    const products = await fastestProducts(scratch);
    return { ...products, ...await fastestAttention(scratch, products), name: "measured" };
  } finally {
    scratch.dispose();
  }
}
