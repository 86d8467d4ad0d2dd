/**
 * The choice between products of one row that make the layer norm before them, and a dispatch that does.
 */
import { LAYER_NORM, NORM_USES } from "../../../wgsl/ops/layer_norm/operator.ts";
import { linearUses, NORMED_USES, PRODUCTS } from "../../../wgsl/ops/linear/forms.ts";
import { LINEAR } from "../../../wgsl/ops/linear/operator.ts";
import { type Candidate, timeCandidates, type TuningBudget } from "../../gpu/autotune.ts";
import { batchOf } from "../batch.ts";
import { dimsOf } from "../dims.ts";
import { fitted } from "../kernels.ts";
import { compileOperator } from "../operator.ts";
import { packedBytes } from "../pack.ts";
import type { Tuning } from "../tuning.ts";
import type { TuningScratch } from "./scratch.ts";
import { fastestInTime } from "./search.ts";

/** The least time of one look, in ms. */
const LEAST_MS = { search: 50, confirm: 100 } as const;
/** Layers that are timed together. */
const LAYERS = 8;

/** Returns the faster of both, measured on FC, where products can make a norm at all. */
export async function fastestNorms(
  scratch: TuningScratch,
  products: Tuning,
  budget: TuningBudget,
): Promise<Pick<Tuning, "normedRows">> {
  const { gpu, options: { config, weightsDtype } } = scratch, { tileGroup, byVector, texels } = products;
  const { normedRows } = fitted(products, scratch.context(products)), { e4: k4, i4: n4 } = dimsOf(config);
  if (normedRows === 0 || budget.spent) return { normedRows };
  const layouts = scratch.layouts(texels), batch = batchOf([{ sequence: 0, first: 0, count: 1, outputs: 0 }]);
  const step = scratch.step(batch), bytes = packedBytes(k4, n4, { tileGroup, byVector, dtype: weightsDtype });
  const x = scratch.buffer(k4 * 16), norm = { gamma: scratch.buffer(k4 * 16), beta: scratch.buffer(k4 * 16) };
  const normed = scratch.vectors(k4 * 16, texels), bias = scratch.buffer(n4 * 16);
  const own = { bias, scale: bias, y: scratch.vectors(n4 * 16, texels) };
  const weights = scratch.coldWeights(bytes, { count: LAYERS, texels });
  const candidate = async (tuning: Tuning): Promise<Candidate> => {
    const context = scratch.context(tuning), fuses = tuning.normedRows > 0;
    const product = await compileOperator(context, LINEAR, { ...PRODUCTS.fc, k4, n4, rows: [1, 1] });
    const apart = fuses ? undefined : await compileOperator(context, LAYER_NORM, { gather: false });
    const groups = weights.map((weight) =>
      fuses
        ? layouts.of(NORMED_USES).bind({ ...own, ...norm, x, weight })
        : layouts.of(linearUses(PRODUCTS.fc)).bind({ ...own, x: normed, weight })
    );
    const made = layouts.of(NORM_USES).bind({ ...norm, x, y: normed });
    return (recorder) => {
      step(recorder);
      for (let layer = 0; layer < LAYERS; layer++) {
        apart?.record(recorder, [made], batch);
        product.record(recorder, [groups[layer % groups.length]!], batch);
      }
    };
  };
  return await fastestInTime({
    variants: [{ ...products, normedRows }, { ...products, normedRows: 0 }],
    looks: (variant) => [async (which) => {
      const candidates = await Promise.all([{ ...products, normedRows }, variant].map(candidate));
      const [fused, other] = await timeCandidates(gpu, candidates, budget, LEAST_MS[which]);
      return other! / fused!;
    }],
  }, budget);
}
