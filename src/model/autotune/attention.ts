/** With how many lanes attention is the fastest, and whether a decode attention is split. */
import {
  ATTENTION_USES,
  COMBINE_USES,
  combinePlan,
  decodePlan,
  prefillPlan,
  SPLIT_USES,
} from "../../../wgsl/ops/attention/plans.ts";
import { isDeepEqual } from "../../base/equal.ts";
import { type Candidate, timeCandidates, type TuningBudget } from "../../gpu/autotune.ts";
import { KvPool } from "../../kv/pool.ts";
import { chooseKv, plainStrategy } from "../../kv/registry.ts";
import { makeKv } from "../../kv/strategy_def.ts";
import { batchOf, TILE_ROWS } from "../batch.ts";
import { dimsOf } from "../dims.ts";
import { joinedRowsOf } from "../kernels.ts";
import { compilePlans } from "../plan.ts";
import { splitsOf, type Tuning } from "../tuning.ts";
import type { TuningScratch } from "./scratch.ts";
import { fastestInTime } from "./search.ts";
import { decodeVariants, PREFILL_VARIANTS, SPLITS } from "./variants.ts";

/** The shortest time of a look, in ms. */
const LEAST_MS = { search: 50, confirm: 100 } as const;
/** The context at which attention is timed. */
const CONTEXT = 256;

/** Rows at which prefill attention is timed: those that a workgroup may have. */
const PREFILL_ROWS = 4 * TILE_ROWS;

/** The part of a tuning that attention decides. */
type AttentionTuning = Pick<
  Tuning,
  "decodeAlong" | "decodeShuffles" | "decodeLanes" | "splitTokens" | "prefillShared" | "prefillLanes"
>;

/**
 * The fastest numbers of lanes for attention, and how a decode attention is split.
 *
 * @param onVariant Called before a variant is looked at.
 */
export async function fastestAttention(
  scratch: TuningScratch,
  products: Tuning,
  budget: TuningBudget,
  onVariant?: (variant: Tuning, nth: number, count: number) => void,
): Promise<AttentionTuning> {
  const { gpu, options: { config, kvDtype } } = scratch;
  const dims = dimsOf(config), { a4, headDim4 } = dims;
  const { texels } = products;
  const tokens = Math.min(CONTEXT, config.nCtx);
  const kv = makeKv(chooseKv(plainStrategy().name), {
    ...{ nSequences: 1, nLayer: config.nLayer, nCtx: config.nCtx, maxTokens: tokens, maxRows: tokens },
    ...{ budgetTokens: undefined, swapTokens: 0, watermark: 0 },
  });
  const pool = KvPool.allocate(gpu, {
    shape: { nHead: config.nHead, a4, dtype: kvDtype, nSequences: 1, texels },
    addressing: kv.addressing,
    nSlots: kv.policy.nSlots,
    movesSlots: false,
  });
  scratch.keep({ destroy: () => pool.dispose() });
  const splits = Math.max(...SPLITS.map((splitTokens) => splitsOf(config.nCtx, { splitTokens }))) *
    config.nHead;
  const buffers = {
    x: scratch.vectors(PREFILL_ROWS * 3 * a4 * 16, texels),
    y: scratch.vectors(PREFILL_ROWS * a4 * 16, texels),
    partial: scratch.buffer(splits * (headDim4 + 1) * 16),
  };
  const layouts = scratch.layouts(texels);
  const groups = {
    whole: layouts.of(ATTENTION_USES).bind(buffers),
    split: layouts.of(SPLIT_USES).bind(buffers),
    combine: layouts.of(COMBINE_USES).bind(buffers),
    prefill: layouts.of(ATTENTION_USES).bind(buffers),
  };
  const decodeBatch = batchOf([{ sequence: 0, first: tokens - 1, count: 1, outputs: 0 }]);
  const decodeStep = scratch.step(decodeBatch);
  const rows = Math.min(PREFILL_ROWS, tokens);
  const prefillBatch = batchOf([
    { sequence: 0, first: tokens - rows, count: Math.max(2, rows), outputs: 0 },
  ]);
  const prefillStep = scratch.step(prefillBatch);
  const decode = async (tuning: Tuning): Promise<Candidate> => {
    const context = scratch.context(tuning);
    const kernel = await compilePlans(gpu.device, [decodePlan(context, pool.source)]);
    const combine = tuning.splitTokens > 0 && joinedRowsOf(context, pool.source) === 0
      ? await compilePlans(gpu.device, [combinePlan(context)])
      : undefined;
    const group = tuning.splitTokens > 0 ? groups.split : groups.whole;
    return (recorder) => {
      decodeStep(recorder);
      for (let n = 0; n < config.nLayer; n++) {
        const { read } = pool.bindGroups(n);
        kernel.record(recorder, [group, read], decodeBatch);
        combine?.record(recorder, [groups.combine], decodeBatch);
      }
    };
  };
  const prefill = async (tuning: Tuning): Promise<Candidate> => {
    const plan = prefillPlan(scratch.context(tuning), pool.source);
    const kernel = await compilePlans(gpu.device, [plan]);
    return (recorder) => {
      prefillStep(recorder);
      kernel.record(recorder, [groups.prefill, pool.bindGroups(0).read], prefillBatch);
    };
  };
  const fastestOf = async (
    base: Tuning,
    others: readonly Partial<Tuning>[],
    candidate: (tuning: Tuning) => Promise<Candidate>,
    share: number,
  ): Promise<Tuning> => {
    const different = others.map((other) => ({ ...base, ...other })).filter((tuning) =>
      !isDeepEqual(tuning, base)
    );
    const part = budget.part(share);
    return await fastestInTime({
      variants: [base, ...different],
      looks: (variant) => [async (which) => {
        const candidates = await Promise.all([base, variant].map(candidate));
        const [first, second] = await timeCandidates(gpu, candidates, part, LEAST_MS[which]);
        return second! / first!;
      }],
      ...(onVariant && { onVariant }),
    }, part);
  };
  // On OpenGL workgroup memory is zeroed element by element, and compiling takes the square of that.
  const offered = PREFILL_VARIANTS.filter(({ prefillShared, prefillLanes }) =>
    gpu.facts.backend !== "gl" || !prefillShared && prefillLanes <= products.prefillLanes
  );
  const lanes = await fastestOf(
    products,
    likeliestFirst(decodeVariants(gpu.device), (each) =>
      distance(each.decodeLanes, products.decodeLanes) +
      far(each.decodeAlong !== products.decodeAlong)),
    decode,
    1 / 3,
  );
  const { decodeAlong, decodeShuffles, decodeLanes, splitTokens } = await fastestOf(
    lanes,
    SPLITS.map((tokens) => ({ splitTokens: tokens })),
    decode,
    1 / 2,
  );
  const { prefillShared, prefillLanes } = await fastestOf(
    products,
    likeliestFirst(offered, (each) =>
      distance(each.prefillLanes, products.prefillLanes) +
      far(each.prefillShared !== products.prefillShared)),
    prefill,
    1,
  );
  return { decodeAlong, decodeShuffles, decodeLanes, splitTokens, prefillShared, prefillLanes };
}

/** Sorts variants by how far they are from the default. */
function likeliestFirst<T>(variants: readonly T[], from: (variant: T) => number): T[] {
  return variants.toSorted((a, b) => from(a) - from(b));
}

/** Returns the distance between numbers of lanes. */
function distance(a: number, b: number): number {
  return Math.abs(Math.log2(a / b));
}

/** Returns the distance of another kernel: further than other lanes. */
function far(isOther: boolean): number {
  return isOther ? 10 : 0;
}
