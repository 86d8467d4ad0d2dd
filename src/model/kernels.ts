/**
 * GPT-2's kernel table: every kernel of the model, its bindings, and its overrides for a given model and tuning.
 * Owns compilation; records nothing.
 *
 * @module
 */
import { createKernel, type Kernel } from "../gpu/kernel.ts";
import type { KvSource } from "../kv/strategy.ts";
import { type Dims, dimsOf } from "./dims.ts";
import { FILES, placeFiles } from "./files.ts";
import type { KernelContext, Role } from "./layouts.ts";
import { type LinearOptions, type LinearProduct, linearProduct, PRODUCTS, type RowCounts } from "./linear.ts";
import type { Tuning } from "./tuning.ts";
import type { MatrixShape } from "./weights.ts";

/** Up to so many lanes of an attention workgroup, each scores eight positions at a time rather than four. */
const FEW_LANES = 16;

/** The kernels that touch K and V, compiled for one strategy. */
export interface KvKernels {
  /** Stores rows in the cache. */
  readonly write: Kernel;
  /** Attends single rows. */
  readonly decode: Kernel;
  /** Attends tiles of rows. */
  readonly prefill: Kernel;
}

/** Steps that kernels are compiled for. */
export interface StepRange {
  /** Rows of a step. */
  readonly rows: RowCounts;
  /** Rows that want logits, where any does. */
  readonly outputs: RowCounts;
  /** Whether spans of several rows attend. */
  readonly prefill: boolean;
  /** Whether single rows attend. */
  readonly decode: boolean;
  /** Whether the likeliest token is chosen. */
  readonly greedy: boolean;
  /** Whether tokens are sampled. */
  readonly sampled: boolean;
}

/** The kernels of one model that do not depend on a strategy; those that no step of the range uses are absent. */
export interface ModelKernels {
  /** Token and position embedding, by shard. */
  readonly embedding: readonly Kernel[];
  /** Layer norm of every row. */
  readonly norm: Kernel;
  /** Layer norm of the rows that want logits. */
  readonly finalNorm: Kernel;
  /** To queries, keys and values. */
  readonly qkv: LinearProduct;
  /** From attention back to the model width. */
  readonly proj: LinearProduct;
  /** Feed-forward, with GELU. */
  readonly fc: LinearProduct;
  /** Feed-forward, back to the model width. */
  readonly out: LinearProduct;
  /** To logits, by shard. */
  readonly head: readonly LinearProduct[];
  /** Joins the splits of a decode attention, where it is split. */
  readonly combine: Kernel | undefined;
  /** The likeliest token. */
  readonly argmax: Kernel | undefined;
  /** A sampled token. */
  readonly sample: Kernel | undefined;
}

/** The kernels of the steps of a range; those that none of them uses are absent. */
export type StepKernels = ModelKernels & Pick<KvKernels, "write"> & Partial<KvKernels>;

/** The head's shards. */
export interface WteShards {
  /** In the order of their tokens. */
  readonly wte: readonly MatrixShape[];
}

/**
 * Compiles the kernels of a model that steps of a range use, apart from those that touch K and V.
 *
 * @throws {KvbenchError} If a kernel does not compile.
 */
export async function createModelKernels(
  context: KernelContext,
  { wte }: WteShards,
  { rows, outputs, decode, greedy, sampled }: StepRange,
): Promise<ModelKernels> {
  const dims = dimsOf(context.config), { e4, a4, i4, v4 } = dims;
  const product = (role: Role, [k4, n4]: readonly [number, number], options: LinearOptions) =>
    linearProduct(context, { k4, n4 }, { role, ...options }, rows);
  const [embedding, head, norm, finalNorm, qkv, proj, fc, out, combine, argmax, sample] = await Promise.all([
    Promise.all(wte.map((shard) => embeddingKernel(context, dims, shard))),
    Promise.all(
      wte.map((shard) =>
        linearProduct(context, shard, { role: "head", yStride4: v4, yOffset4: shard.firstN4 }, outputs)
      ),
    ),
    normKernel(context, dims, false),
    normKernel(context, dims, true),
    product("qkv", [e4, 3 * a4], PRODUCTS.qkv),
    product("proj", [a4, e4], PRODUCTS.proj),
    product("fc", [e4, i4], PRODUCTS.fc),
    product("out", [i4, e4], PRODUCTS.out),
    decode && context.tuning.splitTokens > 0 ? combineKernel(context) : undefined,
    greedy ? choiceKernel(context, "argmax") : undefined,
    sampled ? choiceKernel(context, "sample") : undefined,
  ]);
  return { embedding, norm, finalNorm, qkv, proj, fc, out, head, combine, argmax, sample };
}

function choiceKernel({ device, layouts, config, tuning }: KernelContext, role: "argmax" | "sample") {
  return createKernel(device, {
    label: role satisfies Role,
    files: [FILES[role]],
    groups: [layouts.step, layouts[role]],
    overrides: {
      N_VOCAB: config.vocabSize,
      LOGITS_STRIDE: dimsOf(config).v4 * 4,
      N_CTX: config.nCtx,
      LANES: tuning.argmaxLanes,
      ...(role === "sample" && { BIN_BITS: tuning.sampleBits }),
    },
  });
}

/**
 * Compiles the kernels that steps of a range use.
 *
 * @throws {KvbenchError} If a kernel does not compile.
 */
export async function createStepKernels(
  context: KernelContext,
  shards: WteShards,
  kv: KvSource,
  range: StepRange,
): Promise<StepKernels> {
  const [model, write, prefill, decode] = await Promise.all([
    createModelKernels(context, shards, range),
    kvKernel(context, kv, "write"),
    range.prefill ? kvKernel(context, kv, "prefill") : undefined,
    range.decode ? kvKernel(context, kv, "decode") : undefined,
  ]);
  return { ...model, write, ...(prefill && { prefill }), ...(decode && { decode }) };
}

/**
 * Compiles the kernels that touch K and V for one strategy.
 *
 * @throws {KvbenchError} If a kernel does not compile.
 */
export async function createKvKernels(context: KernelContext, kv: KvSource): Promise<KvKernels> {
  const [write, decode, prefill] = await Promise.all(
    (["write", "decode", "prefill"] as const).map((which) => kvKernel(context, kv, which)),
  ) as [Kernel, Kernel, Kernel];
  return { write, decode, prefill };
}

/**
 * Compiles one of the kernels that touch K and V.
 *
 * @throws {KvbenchError} If it does not compile.
 */
export function kvKernel(context: KernelContext, kv: KvSource, which: keyof KvKernels): Promise<Kernel> {
  const { device, layouts, config, tuning } = context;
  const { headDim4 } = dimsOf(config);
  const side = which === "write" ? "write" : "read";
  const files = [...kv.files[side]], kvLayout = kv.layouts[side];
  const shape = { ...kv.overrides, N_HEAD: config.nHead, HEAD_DIM4: headDim4 };
  const heads = { ...shape, SCALE: 1 / Math.sqrt(config.headDim) };
  const half = 2 ** (Math.ceil(Math.log2(headDim4)) - 1); // a lane serves two vectors of a head at most
  const lanes = (least: number) => {
    const count = Math.max(least, half);
    return { LANES: count, WIDE: Number(count < headDim4), DEEP: Number(count <= FEW_LANES) };
  };
  const whole = tuning.splitTokens === 0;
  switch (which) {
    case "write":
      return createKernel(device, {
        label: "kv write" satisfies Role,
        files: [...files, ...placeFiles({ x: tuning }), FILES.kvWrite],
        groups: [layouts.step, layouts.kvWrite, kvLayout],
        overrides: shape,
      });
    case "decode":
      return createKernel(device, {
        label: "attention decode" satisfies Role,
        files: [
          ...files,
          ...whole
            ? [...placeFiles({ x: tuning, y: tuning }), FILES.attentionWhole]
            : [...placeFiles({ x: tuning }), FILES.attentionSplit],
          FILES.attentionDecode,
        ],
        groups: [layouts.step, whole ? layouts.attentionWhole : layouts.attentionSplit, kvLayout],
        overrides: { ...heads, ...lanes(tuning.decodeLanes), ...splitOverrides(context) },
      });
    case "prefill":
      return createKernel(device, {
        label: "attention prefill" satisfies Role,
        files: [...files, ...placeFiles({ x: tuning, y: tuning }), FILES.attentionPrefill],
        groups: [layouts.step, layouts.attentionPrefill, kvLayout],
        overrides: { ...heads, ...lanes(tuning.prefillLanes) },
      });
  }
}

/**
 * Compiles the kernel that joins the splits of a decode attention.
 *
 * @throws {KvbenchError} If it does not compile.
 */
export function combineKernel(context: KernelContext): Promise<Kernel> {
  const { device, layouts, config, tuning } = context;
  return createKernel(device, {
    label: "attention combine" satisfies Role,
    files: [...placeFiles({ y: tuning }), FILES.attentionCombine],
    groups: [layouts.step, layouts.attentionCombine],
    overrides: {
      N_HEAD: config.nHead,
      HEAD_DIM4: dimsOf(config).headDim4,
      ...splitOverrides(context),
    },
  });
}

function splitOverrides({ config, tuning }: KernelContext): Record<string, number> {
  if (tuning.splitTokens === 0) return { SPLIT_TOKENS: config.nCtx };
  return { SPLIT_TOKENS: tuning.splitTokens, MAX_SPLITS: splitsOf(config.nCtx, tuning) };
}

/** Splits that the decode attention of a context has. */
export function splitsOf(context: number, { splitTokens }: Pick<Tuning, "splitTokens">): number {
  return splitTokens === 0 ? 1 : Math.ceil(context / splitTokens);
}

function embeddingKernel(context: KernelContext, dims: Dims, shard: MatrixShape): Promise<Kernel> {
  const { weightsDtype: dtype, tuning: { texels } } = context;
  return createKernel(context.device, {
    label: "embedding" satisfies Role,
    files: [...placeFiles({ weight: { dtype, texels } }), FILES.embedding],
    groups: [context.layouts.step, context.layouts.embedding],
    overrides: {
      E4: dims.e4,
      N_CTX: context.config.nCtx,
      FIRST_TOKEN: shard.firstN4 * 4,
      N_TOKENS: shard.n4 * 4,
      TILE_GROUP: context.tuning.tileGroup,
    },
  });
}

function normKernel(context: KernelContext, dims: Dims, gather: boolean): Promise<Kernel> {
  return createKernel(context.device, {
    label: (gather ? "final norm" : "norm") satisfies Role,
    files: [...placeFiles({ y: context.tuning }), FILES.layerNorm],
    groups: [context.layouts.step, context.layouts.norm],
    overrides: {
      E4: dims.e4,
      N_EMBD: context.config.nEmbd,
      EPSILON: context.config.layerNormEpsilon,
      GATHER: Number(gather),
      LANES: context.tuning.normLanes,
    },
  });
}
