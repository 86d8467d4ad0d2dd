/**
 * The times that the linear products of a decode step could take: every variant that the autotuner knows goes through the
 * layers of the model in hand as a step does, so that the weights come from as far away as there, and every dispatch
 * is timed as a profiled step's are. Who profiles lets rounds take turns with its steps, since a machine's speed moves.
 */
import {
  type LinearOptions,
  linearUses,
  NORMED_USES,
  type Product,
  PRODUCTS,
} from "../../wgsl/ops/linear/forms.ts";
import { LINEAR } from "../../wgsl/ops/linear/operator.ts";
import { type DispatchTime, DispatchTimer } from "../gpu/dispatch_timer.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { LedgerVectors } from "../gpu/ledger.ts";
import { Recorder } from "../gpu/recorder.ts";
import { linearTunings } from "./autotune/variants.ts";
import { batchOf } from "./batch.ts";
import { compileOperator } from "./operator.ts";
import { fitted } from "./kernels.ts";
import { packedBytes } from "./pack.ts";
import type { Compiled, KernelContext } from "./plan.ts";
import { StepTables } from "./step_tables.ts";
import type { Gpt2Weights } from "./weights.ts";

/** Variants that took this many times as long as the fastest in the first round are not timed again. */
const HOPELESS = 2;

const ONE_ROW = batchOf([{ sequence: 0, first: 0, count: 1, outputs: 0 }]);
const PRODUCT_NAMES = Object.keys(PRODUCTS) as Product[];

/** The layer norms before products. */
const NORMS: Readonly<Partial<Record<Product, "ln1" | "ln2">>> = { qkv: "ln1", fc: "ln2" };

/** A product for one row, with a bind group for each layer. */
interface Layers {
  readonly product: Product;
  readonly groups: readonly GPUBindGroup[];
}

/** A variant, and how long each of its products took in all layers together, in ms, round by round. */
interface Trial {
  readonly products: readonly (Layers & { readonly kernel: Compiled })[];
  readonly ms: Record<Product, number[]>;
}

/** Times the variants, the one in use among them, on a model's weights. */
export class ProductTrials {
  readonly #gpu: Gpu;
  readonly #timer: DispatchTimer;
  readonly #recorder: Recorder;
  readonly #free: (() => void)[] = [];
  #trials: Trial[] = [];
  #nLayer = 0;
  #warm = false;

  private constructor(gpu: Gpu) {
    this.#gpu = gpu;
    this.#timer = new DispatchTimer(gpu);
    this.#free.push(() => this.#timer.dispose());
    this.#recorder = new Recorder(gpu.device);
    this.#recorder.dispatchTimer = this.#timer;
  }

  /**
   * Compiles the variants that read weights from where they are. These are not packed anew for each: what a variant reads there are other numbers, but
   * as many; where they would be more than there are, it goes without that product.
   *
   * @throws {KvbenchError} If the device has no timestamps or a kernel does not compile.
   */
  static async create(gpu: Gpu, context: KernelContext, weights: Gpt2Weights): Promise<ProductTrials> {
    const trials = new ProductTrials(gpu);
    try {
      await trials.#prepare(context, weights);
      return trials;
    } catch (error) {
      trials.dispose();
      throw error;
    }
  }

  /**
   * Times every variant once more, after the first round only those that are near the fastest.
   *
   * @throws {KvbenchError} If the device fails.
   */
  async round(): Promise<void> {
    const totals: number[] = [];
    for (const { products, ms } of this.#trials) {
      for (let layer = 0; layer < this.#nLayer; layer++) {
        for (const { kernel, groups } of products) kernel.record(this.#recorder, [groups[layer]!], ONE_ROW);
      }
      this.#recorder.submit();
      const times = await this.#timer.read();
      for (const { product } of products) {
        ms[product].push(sum(times.filter(({ label }) => label === product)));
      }
      totals.push(sum(times));
    }
    this.#gpu.assertHealthy();
    if (this.#warm) return;
    this.#warm = true;
    const limit = HOPELESS * Math.min(...totals);
    this.#trials = this.#trials.filter((_, i) => totals[i]! <= limit);
    for (const { ms } of this.#trials) for (const product of PRODUCT_NAMES) ms[product] = [];
  }

  /** Returns the times of a product in all layers together, in ms: an entry for each variant, with one for each round. */
  times(product: Product): number[][] {
    return this.#trials.map(({ ms }) => ms[product]).filter((rounds) => rounds.length > 0);
  }

  /** Frees what was allocated. */
  dispose(): void {
    for (const each of this.#free) each();
  }

  async #prepare(context: KernelContext, weights: Gpt2Weights): Promise<void> {
    this.#nLayer = weights.layers.length;
    const tables = new StepTables(
      this.#gpu,
      context.layouts.step,
      { maxRows: 1, maxSpans: 1, maxOutputs: 1 },
      1,
    );
    this.#free.push(() => tables.dispose());
    this.#recorder.share(
      tables.group,
      tables.set(0, ONE_ROW),
    );
    tables.upload(1);
    const layersOf = (normed: boolean) =>
      PRODUCT_NAMES.map((product) => this.#layers(product, context, weights, normed));
    const [plain, normed] = [layersOf(false), layersOf(true)];
    const tunings = linearTunings(context.tuning, context.device)
      .filter(({ texels }) => texels === context.tuning.texels).map((tuning) => fitted(tuning, context));
    this.#trials = await Promise.all(
      tunings.map(async (tuning): Promise<Trial> => {
        const { tileGroup, byVector } = tuning,
          packing = { tileGroup, byVector, dtype: context.weightsDtype };
        const layers = tuning.normedRows > 0 ? normed : plain;
        const fitting = layers.filter(({ k4, n4, bytes }) => packedBytes(k4, n4, packing) <= bytes);
        const products = await Promise.all(fitting.map(async (each) => {
          const of = { ...PRODUCTS[each.product], role: each.product, k4: each.k4, n4: each.n4 };
          return { ...each, kernel: await compileOperator({ ...context, tuning }, LINEAR, of) };
        }));
        return { products, ms: { qkv: [], proj: [], fc: [], out: [] } };
      }),
    );
  }

  #layers(
    product: Product,
    { layouts, tuning }: KernelContext,
    { layers }: Gpt2Weights,
    normed: boolean,
  ) {
    const { k4, n4, tiles: { bytes } } = layers[0]![product].weight;
    const options: LinearOptions = PRODUCTS[product], norm = normed ? NORMS[product] : undefined;
    const x = this.#scratch(k4 * 16, tuning.texels && !norm);
    const y = this.#scratch(n4 * 16, tuning.texels && (options.chained ?? false));
    const groups = layers.map((layer) => {
      const { weight: { tiles, scale }, bias } = layer[product];
      const bound = { x, weight: tiles, bias, y, scale };
      return norm
        ? layouts.of(NORMED_USES).bind({ ...bound, ...layer[norm] })
        : layouts.of(linearUses(options)).bind(bound);
    });
    return { product, k4, n4, bytes, groups };
  }

  #scratch(bytes: number, texels: boolean): LedgerVectors {
    const spec = { label: "product trials", category: "staging", bytes } as const;
    const vectors = this.#gpu.ledger.createVectors(spec, { texels });
    this.#free.push(() => vectors.destroy());
    return vectors;
  }
}

function sum(times: readonly DispatchTime[]): number {
  return times.reduce((total, { ms }) => total + ms, 0);
}
