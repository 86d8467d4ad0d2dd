/**
 * Choosing kernel variants by measurement: every variant of the linear products and of attention is timed on the
 * model's own shapes, and the sums decide. The defaults for the adapter's kind stay unless something beats them clearly.
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import { type Candidate, fastest, timeCandidates, TuningBudget } from "../gpu/autotune.ts";
import type { Dtype } from "../gpu/dtype.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { LedgerBuffer, LedgerEntry, LedgerVectors } from "../gpu/ledger.ts";
import type { Recorder } from "../gpu/recorder.ts";
import { hasSubgroups } from "../gpu/subgroups.ts";
import { createStrategy } from "../kv/create.ts";
import { type Batch, batchOf, TILE_ROWS } from "./batch.ts";
import type { Gpt2Config } from "./config.ts";
import { type Dims, dimsOf } from "./dims.ts";
import {
  combineKernel,
  createLayouts,
  type KernelContext,
  kvKernel,
  type Layouts,
  splitsOf,
} from "./kernels.ts";
import { linearProduct } from "./linear.ts";
import { packedBytes } from "./pack.ts";
import { StepTables } from "./step_tables.ts";
import { type Tuning, tuningFor } from "./tuning.ts";

/** What tuning may take, in ms, compilation aside: to find the fastest of each kind, and to confirm it. */
const BUDGETS_MS = {
  linear: { search: 2000, confirm: 1000 },
  attention: { search: 400, confirm: 200 },
} as const;
/** What a variant must save to replace the default: timings of one variant differ by about this much. */
const MARGIN = 0.05;
/** Multiply-adds per timing, so that a dispatch's fixed cost doesn't decide. */
const TIMED_MACS = 4e6;
/** Rows of the many-row products that are timed. */
const MANY_ROWS = 2 * TILE_ROWS;
/** The most output tiles of the head that are timed: more of the same says nothing new. */
const HEAD_TILES = 2048;
/** Bytes of weights of one shape that take turns: more than caches hold. */
const COLD_BYTES = 128 * 2 ** 20;
/** The context at which attention is timed. */
const CONTEXT = 256;

/** More output tiles than any product has. */
const NEVER = 2 ** 30;

/** The variant in which a lane makes four tiles. */
const WIDE = {
  tileGroup: 4,
  wideRows: true,
  tallRows: true,
  kSplit: 1,
  wideRowTiles: 128,
  linearLanes: 8,
} as const satisfies Partial<Tuning>;
/** Variants of the linear products that every device can run. */
const LINEAR_VARIANTS: readonly Partial<Tuning>[] = [
  { ...WIDE, texels: true },
  { ...WIDE, texels: true, tallRows: false },
  { ...WIDE, texels: true, wideRowTiles: NEVER },
  { ...WIDE, texels: true, linearLanes: 32 },
  { ...WIDE, texels: false },
  ...[{ kSplit: 8, linearLanes: 32 }, { kSplit: 4, linearLanes: 64 }, { kSplit: 16, linearLanes: 16 }].map(
    (split) => ({ ...split, texels: false, tileGroup: 8, wideRows: false, tallRows: false }),
  ),
];
/** Variants that need subgroups. */
const SUBGROUP_VARIANTS: readonly Partial<Tuning>[] = [1, 8].map((tileGroup) => ({
  texels: false,
  tileGroup,
  wideRows: false,
  tallRows: false,
  kSplit: 32,
  linearLanes: 32,
  subgroups: true,
}));
/** Variants of the linear products that are timed on a device beside the defaults. */
export function linearVariants(device: Pick<GPUDevice, "features">): readonly Partial<Tuning>[] {
  return hasSubgroups(device) ? [...LINEAR_VARIANTS, ...SUBGROUP_VARIANTS] : LINEAR_VARIANTS;
}
/** Lanes of an attention workgroup that are timed beside the defaults. */
export const ATTENTION_LANES: readonly number[] = [8, 16, 32, 64];

/** Positions of a decode attention workgroup that are timed: all, as few as hardware likes, and between. */
export const SPLITS: readonly number[] = [0, 64, 256];

/** A tuning and, beside it, every variant of the linear products that is not the same. */
export function linearTunings(base: Tuning, device: GPUDevice): Tuning[] {
  const others = linearVariants(device).map((variant) => ({ ...base, ...variant }));
  return [base, ...others.filter((variant) => !isDeepStrictEqual(variant, base))];
}

/** What a choice depends on. */
export interface AutotuneOptions {
  /** The model's dimensions. */
  readonly config: Gpt2Config;
  /** How weight matrices are stored. */
  readonly weightsDtype: Dtype;
  /** How K and V are stored. */
  readonly kvDtype: Dtype;
}

/**
 * Times the variants and returns the choice. Everything it allocates is freed.
 *
 * @throws {KvbenchError} If a kernel does not compile or the device fails.
 */
export async function autotune(gpu: Gpu, options: AutotuneOptions): Promise<Tuning> {
  const bench = new TuningBench(gpu, options);
  try {
    const linear = await bench.linear();
    return { ...linear, ...await bench.attention(linear), name: "measured" };
  } finally {
    bench.dispose();
  }
}

/**
 * The fastest variant, if it beats the first one a second time, when only these two are timed: the best of many has
 * been lucky, too.
 *
 * @param shares How long variants take, over what the first of them takes.
 */
export async function fastestTwice<T>(
  variants: readonly T[],
  budgetsMs: { readonly search: number; readonly confirm: number },
  shares: (variants: readonly T[], budget: TuningBudget) => Promise<number[]>,
): Promise<T> {
  const base = variants[0]!;
  const best = variants[fastest(await shares(variants, new TuningBudget(budgetsMs.search)), MARGIN)]!;
  if (best === base) return base;
  const pair = [base, best];
  return pair[fastest(await shares(pair, new TuningBudget(budgetsMs.confirm)), MARGIN)]!;
}

/** Scratch buffers, and the step tables that every kernel binds. */
class TuningBench {
  readonly #gpu: Gpu;
  readonly #options: AutotuneOptions;
  readonly #dims: Dims;
  readonly #made = new Map<boolean, Layouts>();
  readonly #free: (() => void)[] = [];

  constructor(gpu: Gpu, options: AutotuneOptions) {
    this.#gpu = gpu;
    this.#options = options;
    this.#dims = dimsOf(options.config);
  }

  /** The fastest variant of the products: one row of each and sixteen rows of each, as a decoder and a prefill have. */
  linear(): Promise<Tuning> {
    const tunings = linearTunings(tuningFor(this.#gpu.facts), this.#gpu.device);
    return fastestTwice(tunings, BUDGETS_MS.linear, (some, budget) => this.#linearShares(some, budget));
  }

  /**
   * How long the products of a step take, over what they take with the first variant. Decoding and prefill count alike:
   * the mean of both.
   */
  async #linearShares(variants: readonly Tuning[], budget: TuningBudget): Promise<number[]> {
    const { e4, a4, i4, v4 } = this.#dims;
    const head = Math.min(v4, HEAD_TILES), heads = v4 / head;
    const { nLayer } = this.#options.config;
    // The heaviest first: where the budget ends early, the rest says little new.
    const shapes = [
      { k4: e4, n4: i4, count: nLayer },
      { k4: i4, n4: e4, count: nLayer },
      { k4: e4, n4: head, count: heads },
      { k4: e4, n4: 3 * a4, count: nLayer },
      { k4: a4, n4: e4, count: nLayer },
    ];
    const rows = Math.max(...shapes.map(({ k4, n4 }) => Math.max(k4, n4))) * 16 * MANY_ROWS;
    const y = this.#buffer(rows), none = this.#buffer(head * 16);
    const places = [true, false].filter((texels) => variants.some((variant) => variant.texels === texels))
      .map((texels) => ({ texels, x: this.#vectors(rows, texels) }));
    const step = this.#step(batchOf([{ sequence: 0, first: 0, count: MANY_ROWS, outputs: 0 }]));

    const totals = [1, MANY_ROWS].map((nRows) => ({ nRows, ms: variants.map(() => 0) }));
    for (const [i, { k4, n4, count }] of shapes.entries()) {
      if (i > 0 && budget.spent) break;
      const bytes = packedBytes(k4, n4, { tileGroup: 8, dtype: this.#options.weightsDtype });
      const operands = places.map(({ texels, x }) => {
        const weights = this.#coldWeights(bytes, { count, texels });
        const groups = weights.map((weight) =>
          this.#layouts(texels).linear.bind({ x, weight, bias: none, y, scale: none })
        );
        return { texels, weights, groups };
      });
      let next = 0;
      const times = Math.max(1, Math.round(TIMED_MACS / (k4 * n4 * 16)));
      const products = await Promise.all(variants.map(async (tuning) => {
        const { groups } = operands.find(({ texels }) => texels === tuning.texels)!;
        return { groups, kernel: await linearProduct(this.#context(tuning), { k4, n4 }, {}) };
      }));
      for (const { nRows, ms } of totals) {
        const candidates = products.map(({ groups, kernel }): Candidate => (recorder) => {
          step(recorder);
          for (let n = 0; n < times; n++) kernel.record(recorder, groups[next++ % groups.length]!, nRows);
        });
        const shortest = await timeCandidates(this.#gpu, candidates, budget);
        shortest.forEach((each, variant) => ms[variant]! += count / times * each);
      }
      for (const { weights } of operands) for (const weight of weights) weight.destroy();
    }
    return variants.map((_, variant) =>
      totals.reduce((sum, { ms }) => sum + ms[variant]! / ms[0]!, 0) / totals.length
    );
  }

  /** The fastest numbers of lanes for attention, and how a decode attention is split. */
  async attention(
    linear: Tuning,
  ): Promise<Pick<Tuning, "decodeLanes" | "splitTokens" | "prefillLanes">> {
    const { config, kvDtype } = this.#options;
    const { a4, headDim4 } = this.#dims;
    const { texels } = linear;
    const tokens = Math.min(CONTEXT, config.nCtx);
    const shape = { ...config, ...this.#dims, nSequences: 1, dtype: kvDtype, texels };
    const strategy = createStrategy(this.#gpu, "kv-cache", shape, {
      maxTokens: tokens,
      capacityTokens: tokens,
      growth: "static",
      blockSize: 1,
    });
    this.#free.push(() => strategy.dispose());
    const splits = Math.max(...SPLITS.map((splitTokens) => splitsOf(config.nCtx, { splitTokens }))) *
      config.nHead;
    const buffers = {
      x: this.#vectors(TILE_ROWS * 3 * a4 * 16, texels),
      y: this.#vectors(TILE_ROWS * a4 * 16, texels),
      partial: this.#buffer(splits * (headDim4 + 1) * 16),
    };
    const layouts = this.#layouts(texels);
    const groups = {
      whole: layouts.attentionWhole.bind(buffers),
      split: layouts.attentionSplit.bind(buffers),
      combine: layouts.attentionCombine.bind(buffers),
      prefill: layouts.attentionPrefill.bind(buffers),
    };
    const decodeStep = this.#step(batchOf([{ sequence: 0, first: tokens - 1, count: 1, outputs: 0 }]));
    const rows = Math.min(TILE_ROWS, tokens);
    const prefillStep = this.#step(
      batchOf([{ sequence: 0, first: tokens - rows, count: Math.max(2, rows), outputs: 0 }]),
    );
    const decode = async (tuning: Tuning): Promise<Candidate> => {
      const context = this.#context(tuning);
      const kernel = await kvKernel(context, strategy.source, "decode");
      const combine = tuning.splitTokens > 0 ? await combineKernel(context) : undefined;
      const group = combine ? groups.split : groups.whole;
      return (recorder) => {
        decodeStep(recorder);
        for (let n = 0; n < config.nLayer; n++) {
          const { read } = strategy.bindGroups(n);
          recorder.dispatch(kernel, [group, read], splitsOf(tokens, tuning), config.nHead);
          if (combine) recorder.dispatch(combine, [groups.combine], Math.ceil(a4 / 32));
        }
      };
    };
    const prefill = async (tuning: Tuning): Promise<Candidate> => {
      const kernel = await kvKernel(this.#context(tuning), strategy.source, "prefill");
      return (recorder) => {
        prefillStep(recorder);
        recorder.dispatch(kernel, [groups.prefill, strategy.bindGroups(0).read], 1, config.nHead);
      };
    };
    const fastestOf = async (
      base: Tuning,
      others: readonly Partial<Tuning>[],
      candidate: (tuning: Tuning) => Promise<Candidate>,
    ): Promise<Tuning> => {
      const tunings = [base, ...others.map((other) => ({ ...base, ...other }))]
        .filter((tuning, i, all) => all.findIndex((other) => isDeepStrictEqual(other, tuning)) === i);
      return await fastestTwice(tunings, BUDGETS_MS.attention, async (some, budget) => {
        const times = await timeCandidates(this.#gpu, await Promise.all(some.map(candidate)), budget);
        return times.map((ms) => ms / times[0]!);
      });
    };
    const lanes = await fastestOf(linear, ATTENTION_LANES.map((count) => ({ decodeLanes: count })), decode);
    const { decodeLanes, splitTokens } = await fastestOf(
      lanes,
      SPLITS.map((tokens) => ({ splitTokens: tokens })),
      decode,
    );
    const { prefillLanes } = await fastestOf(
      linear,
      ATTENTION_LANES.map((count) => ({ prefillLanes: count })),
      prefill,
    );
    return { decodeLanes, splitTokens, prefillLanes };
  }

  /** Frees what was allocated. */
  dispose(): void {
    for (const free of this.#free) free();
  }

  #context(tuning: Tuning): KernelContext {
    const { config, weightsDtype } = this.#options;
    return { device: this.#gpu.device, layouts: this.#layouts(tuning.texels), config, tuning, weightsDtype };
  }

  #layouts(texels: boolean): Layouts {
    const layouts = this.#made.get(texels) ?? createLayouts(this.#gpu.device, { texels });
    this.#made.set(texels, layouts);
    return layouts;
  }

  /** Weights that take turns, up to `count` of them, so that none is in a cache when a step would find it cold. */
  #coldWeights(
    bytes: number,
    { count, texels }: { readonly count: number; readonly texels: boolean },
  ): LedgerVectors[] {
    const copies = Math.max(1, Math.min(count, Math.floor(COLD_BYTES / bytes)));
    return Array.from({ length: copies }, () => this.#vectors(bytes, texels));
  }

  #buffer(bytes: number): LedgerBuffer {
    return this.#keep(this.#gpu.ledger.createBuffer({ label: "autotune", category: "staging", bytes }));
  }

  #vectors(bytes: number, texels: boolean): LedgerVectors {
    const spec = { label: "autotune", category: "staging", bytes } as const;
    return this.#keep(this.#gpu.ledger.createVectors(spec, { texels }));
  }

  #keep<T extends LedgerEntry>(entry: T): T {
    this.#free.push(() => entry.destroy());
    return entry;
  }

  /** Uploads a batch's tables and returns what binds them. */
  #step(batch: Batch): (recorder: Recorder) => void {
    const limits = { maxRows: batch.nRows, maxSpans: 1, maxOutputs: 1 };
    const tables = new StepTables(this.#gpu, this.#layouts(false).step, limits, 1);
    this.#free.push(() => tables.dispose());
    const offsets = tables.set(0, batch);
    tables.upload(1);
    return (recorder) => recorder.share(tables.group, offsets);
  }
}
