/**
 * What the linear products of a decode step could take: every variant that the autotuner knows, on the weights of the
 * model in hand, layer after layer as a step goes through them, so that no cache helps more than it does there.
 *
 * @module
 */
import { type Candidate, timeCandidates, TuningBudget } from "../gpu/autotune.ts";
import { DTYPE_BYTES } from "../gpu/dtype.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { LedgerBuffer } from "../gpu/ledger.ts";
import { linearTunings } from "./autotune.ts";
import { batchOf } from "./batch.ts";
import type { KernelContext } from "./kernels.ts";
import { linearProduct, type Product, PRODUCTS } from "./linear.ts";
import { packedTiles } from "./pack.ts";
import { StepTables } from "./step_tables.ts";
import type { Gpt2Weights } from "./weights.ts";

/** What timing may take for each product, in ms, compilation aside. */
const BUDGET_MS = 2000;

/**
 * The shortest time, in ms, in which a variant does each product for one row in all layers, the variant in use among
 * them. The weights are not packed anew for each: what a variant reads there are other numbers, but as many.
 *
 * @throws {KvbenchError} If a kernel does not compile or the device fails.
 */
export async function fastestProducts(
  gpu: Gpu,
  context: KernelContext,
  weights: Gpt2Weights,
): Promise<Record<Product, number>> {
  const free: (() => void)[] = [];
  const scratch = (bytes: number): LedgerBuffer => {
    const buffer = gpu.ledger.createBuffer({ label: "product times", category: "staging", bytes });
    free.push(() => buffer.destroy());
    return buffer;
  };
  try {
    const tables = new StepTables(gpu, context.layouts.step, { maxRows: 1, maxSpans: 1, maxOutputs: 1 }, 1);
    free.push(() => tables.dispose());
    const offsets = tables.set(0, batchOf([{ sequence: 0, first: 0, count: 1, outputs: 0 }]));
    tables.upload(1);
    const times: [Product, number][] = [];
    for (const [product, options] of Object.entries(PRODUCTS) as [Product, typeof PRODUCTS[Product]][]) {
      const matrices = weights.layers.map((layer) => layer[product]);
      const { k4, n4, buffer } = matrices[0]!.weight;
      const x = scratch(k4 * 16), y = scratch(n4 * 16);
      const groups = matrices.map(({ weight, bias }) =>
        context.layouts.linear.bind({ x, weight: weight.buffer, bias, y, scale: weight.scale })
      );
      const tileBytes = 16 * DTYPE_BYTES[context.weightsDtype];
      const tunings = linearTunings(context.tuning, context.device)
        .filter(({ tileGroup }) => packedTiles(k4, n4, tileGroup) * tileBytes <= buffer.bytes);
      const candidates = await Promise.all(tunings.map(async (tuning): Promise<Candidate> => {
        const compiled = await linearProduct({ ...context, tuning }, { k4, n4 }, options);
        return (recorder) => {
          recorder.share(tables.group, offsets);
          for (const group of groups) compiled.record(recorder, group, 1);
        };
      }));
      times.push([product, Math.min(...await timeCandidates(gpu, candidates, new TuningBudget(BUDGET_MS)))]);
    }
    return Object.fromEntries(times) as Record<Product, number>;
  } finally {
    for (const each of free) each();
  }
}
