/** Which variant of the products of a step is the fastest. */
import { linearUses } from "../../../wgsl/ops/linear/forms.ts";
import { LINEAR } from "../../../wgsl/ops/linear/operator.ts";
import { type Candidate, timeCandidates, type TuningBudget } from "../../gpu/autotune.ts";
import { batchOf, TILE_ROWS } from "../batch.ts";
import { dimsOf } from "../dims.ts";
import { compileOperator } from "../operator.ts";
import { packedBytes } from "../pack.ts";
import { type Tuning, tuningFor } from "../tuning.ts";
import type { TuningScratch } from "./scratch.ts";
import { fastestInTime, type Look } from "./search.ts";
import { linearTunings } from "./variants.ts";

/** Multiply-adds per timing, so that a dispatch's fixed cost doesn't decide. */
const TIMED_MACS = 4e6;
/** Rows of the many-row products that are timed. */
const MANY_ROWS = 2 * TILE_ROWS;
/** The most output tiles of the head that are timed: more of the same says nothing new. */
const HEAD_TILES = 2048;
/** The shortest time of a look, in ms. */
const LEAST_MS = { search: 50, confirm: 200 } as const;

/** A product of the model, as it is timed. */
interface Shape {
  readonly k4: number;
  readonly n4: number;
  /** Dispatches of it in a step. */
  readonly count: number;
}

/**
 * The fastest variant of the products: one row of each and sixteen rows of each, as a decoder and a prefill have. They
 * count alike.
 *
 * @param onVariant Called before a variant is looked at.
 */
export async function fastestProducts(
  scratch: TuningScratch,
  budget: TuningBudget,
  onVariant?: (variant: Tuning, nth: number, count: number) => void,
): Promise<Tuning> {
  const { gpu, options: { config } } = scratch;
  const { e4, a4, i4, v4 } = dimsOf(config), { nLayer } = config;
  const head = Math.min(v4, HEAD_TILES);
  // The heaviest first: it says the most.
  const shapes: Shape[] = [
    { k4: e4, n4: i4, count: nLayer },
    { k4: i4, n4: e4, count: nLayer },
    { k4: e4, n4: head, count: v4 / head },
    { k4: e4, n4: 3 * a4, count: nLayer },
    { k4: a4, n4: e4, count: nLayer },
  ];
  const sides = shapes.flatMap((shape) => [1, MANY_ROWS].map((nRows) => ({ shape, nRows })));
  const timer = new ProductTimer(scratch, shapes);
  const [base, ...others] = linearTunings(tuningFor(gpu.facts), gpu.device) as [Tuning, ...Tuning[]];
  return await fastestInTime({
    variants: [base, ...others],
    looks: (variant) =>
      sides.map(({ shape, nRows }): Look => (which) =>
        timer.share([base, variant], { shape, nRows, leastMs: LEAST_MS[which] }, budget)
      ),
    weights: sides.map(({ shape: { k4, n4, count } }) => k4 * n4 * count),
    ...(onVariant && { onVariant }),
  }, budget);
}

/** Times a product in two variants. */
class ProductTimer {
  readonly #scratch: TuningScratch;
  readonly #y;
  readonly #none;
  readonly #x = new Map<boolean, ReturnType<TuningScratch["vectors"]>>();
  readonly #rowsBytes: number;
  readonly #step;

  constructor(scratch: TuningScratch, shapes: readonly Shape[]) {
    this.#scratch = scratch;
    this.#rowsBytes = Math.max(...shapes.map(({ k4, n4 }) => Math.max(k4, n4))) * 16 * MANY_ROWS;
    this.#y = scratch.buffer(this.#rowsBytes);
    this.#none = scratch.buffer(Math.max(...shapes.map(({ n4 }) => n4)) * 16);
    this.#step = scratch.step(batchOf([{ sequence: 0, first: 0, count: MANY_ROWS, outputs: 0 }]));
  }

  /** The time of the second over that of the first. */
  async share(
    variants: readonly [Tuning, Tuning],
    { shape: { k4, n4, count }, nRows, leastMs }: {
      readonly shape: Shape;
      readonly nRows: number;
      readonly leastMs: number;
    },
    budget: TuningBudget,
  ): Promise<number> {
    const scratch = this.#scratch, { weightsDtype } = scratch.options;
    const bytes = packedBytes(k4, n4, { tileGroup: 8, byVector: true, dtype: weightsDtype });
    const places = new Set(variants.map(({ texels }) => texels));
    const operands = [...places].map((texels) => {
      const weights = scratch.coldWeights(bytes, { count, texels });
      const groups = weights.map((weight) =>
        scratch.layouts(texels).of(linearUses({})).bind({
          x: this.#input(texels),
          weight,
          bias: this.#none,
          y: this.#y,
          scale: this.#none,
        })
      );
      return { texels, weights, groups };
    });
    const batch = batchOf([{ sequence: 0, first: 0, count: nRows, outputs: 0 }]);
    let next = 0;
    const times = Math.max(1, Math.round(TIMED_MACS / (k4 * n4 * 16)));
    const candidates = await Promise.all(variants.map(async (tuning): Promise<Candidate> => {
      const { groups } = operands.find(({ texels }) => texels === tuning.texels)!;
      const of = { k4, n4, rows: [nRows, nRows] } as const;
      const product = await compileOperator(scratch.context(tuning), LINEAR, of);
      return (recorder) => {
        this.#step(recorder);
        for (let n = 0; n < times; n++) product.record(recorder, [groups[next++ % groups.length]!], batch);
      };
    }));
    const [base, other] = await timeCandidates(scratch.gpu, candidates, budget, leastMs);
    for (const { weights } of operands) for (const weight of weights) weight.destroy();
    return other! / base!;
  }

  #input(texels: boolean) {
    const x = this.#x.get(texels) ?? this.#scratch.vectors(this.#rowsBytes, texels);
    this.#x.set(texels, x);
    return x;
  }
}
