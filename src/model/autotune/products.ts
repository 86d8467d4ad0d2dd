/**
 * Which variant of the products of a step is the fastest.
 *
 * @module
 */
import { type Candidate, timeCandidates, type TuningBudget } from "../../gpu/autotune.ts";
import { batchOf, TILE_ROWS } from "../batch.ts";
import { dimsOf } from "../dims.ts";
import { linearProduct } from "../linear.ts";
import { packedBytes } from "../pack.ts";
import { type Tuning, tuningFor } from "../tuning.ts";
import { fastestTwice } from "./fastest_twice.ts";
import type { TuningScratch } from "./scratch.ts";
import { linearTunings } from "./variants.ts";

/** What it may take, in ms, compilation aside: to find the fastest, and to confirm it. */
const BUDGET_MS = { search: 2000, confirm: 1000 } as const;
/** Multiply-adds per timing, so that a dispatch's fixed cost doesn't decide. */
const TIMED_MACS = 4e6;
/** Rows of the many-row products that are timed. */
const MANY_ROWS = 2 * TILE_ROWS;
/** The most output tiles of the head that are timed: more of the same says nothing new. */
const HEAD_TILES = 2048;

/** The fastest variant of the products: one row of each and sixteen rows of each, as a decoder and a prefill have. */
export function fastestProducts(scratch: TuningScratch): Promise<Tuning> {
  const { gpu } = scratch;
  const tunings = linearTunings(tuningFor(gpu.facts), gpu.device);
  return fastestTwice(tunings, BUDGET_MS, (some, budget) => productShares(scratch, some, budget));
}

/**
 * How long the products of a step take, over what they take with the first variant. Decoding and prefill count alike:
 * the mean of both.
 */
async function productShares(
  scratch: TuningScratch,
  variants: readonly Tuning[],
  budget: TuningBudget,
): Promise<number[]> {
  const { gpu, options: { config, weightsDtype } } = scratch;
  const { e4, a4, i4, v4 } = dimsOf(config), { nLayer } = config;
  const head = Math.min(v4, HEAD_TILES), heads = v4 / head;
  // The heaviest first: where the budget ends early, the rest says little new.
  const shapes = [
    { k4: e4, n4: i4, count: nLayer },
    { k4: i4, n4: e4, count: nLayer },
    { k4: e4, n4: head, count: heads },
    { k4: e4, n4: 3 * a4, count: nLayer },
    { k4: a4, n4: e4, count: nLayer },
  ];
  const rows = Math.max(...shapes.map(({ k4, n4 }) => Math.max(k4, n4))) * 16 * MANY_ROWS;
  const y = scratch.buffer(rows), none = scratch.buffer(head * 16);
  const places = [true, false].filter((texels) => variants.some((variant) => variant.texels === texels))
    .map((texels) => ({ texels, x: scratch.vectors(rows, texels) }));
  const step = scratch.step(batchOf([{ sequence: 0, first: 0, count: MANY_ROWS, outputs: 0 }]));

  const totals = [1, MANY_ROWS].map((nRows) => ({ nRows, ms: variants.map(() => 0) }));
  for (const [i, { k4, n4, count }] of shapes.entries()) {
    if (i > 0 && budget.spent) break;
    const bytes = packedBytes(k4, n4, { tileGroup: 8, dtype: weightsDtype });
    const operands = places.map(({ texels, x }) => {
      const weights = scratch.coldWeights(bytes, { count, texels });
      const groups = weights.map((weight) =>
        scratch.layouts(texels).linear.bind({ x, weight, bias: none, y, scale: none })
      );
      return { texels, weights, groups };
    });
    let next = 0;
    const times = Math.max(1, Math.round(TIMED_MACS / (k4 * n4 * 16)));
    const products = await Promise.all(variants.map(async (tuning) => {
      const { groups } = operands.find(({ texels }) => texels === tuning.texels)!;
      return { groups, kernel: await linearProduct(scratch.context(tuning), { k4, n4 }, {}) };
    }));
    for (const { nRows, ms } of totals) {
      const candidates = products.map(({ groups, kernel }): Candidate => (recorder) => {
        step(recorder);
        for (let n = 0; n < times; n++) kernel.record(recorder, groups[next++ % groups.length]!, nRows);
      });
      const shortest = await timeCandidates(gpu, candidates, budget);
      shortest.forEach((each, variant) => ms[variant]! += count / times * each);
    }
    for (const { weights } of operands) for (const weight of weights) weight.destroy();
  }
  return variants.map((_, variant) =>
    totals.reduce((sum, { ms }) => sum + ms[variant]! / ms[0]!, 0) / totals.length
  );
}
