/** GPT-2's kernels: which operators its steps use, and of what. Owns their compilation; records nothing. */
import { ARGMAX, ARGMAX_JOIN } from "../../wgsl/ops/argmax/operator.ts";
import { ATTENTION_COMBINE, ATTENTION_DECODE, ATTENTION_PREFILL } from "../../wgsl/ops/attention/operator.ts";
import { EMBEDDING } from "../../wgsl/ops/embedding/operator.ts";
import { KV_WRITE } from "../../wgsl/ops/kv_write/operator.ts";
import { LAYER_NORM } from "../../wgsl/ops/layer_norm/operator.ts";
import {
  BEST_USES,
  headPartsOf,
  type LinearOf,
  linearRowForm,
  linearUses,
  NORMED_USES,
  normsRows,
  PRODUCTS,
  type RowCounts,
} from "../../wgsl/ops/linear/forms.ts";
import { LINEAR } from "../../wgsl/ops/linear/operator.ts";
import { ROTATE, ROTATION_BACK, rotationOf } from "../../wgsl/ops/rotate/operator.ts";
import { SAMPLE } from "../../wgsl/ops/sample/operator.ts";
import { weightStorage } from "../formats/registry.ts";
import { bindsAll } from "../gpu/bind_layout.ts";
import type { KvSource } from "../kv/source.ts";
import type { Batch } from "./batch.ts";
import { type Dims, dimsOf } from "./dims.ts";
import { compileOperator } from "./operator.ts";
import type { Compiled, KernelContext } from "./plan.ts";
import type { Tuning } from "./tuning.ts";
import type { MatrixShape } from "./weights.ts";

/** Workgroup memory of a product of one row at most, beside the row: half of 256 sums, and as many moments. */
const MOST_SHARED_BYTES = 256 / 2 * 16 + 256 * 12;

/** Steps that kernels are compiled for. */
export interface StepRange {
  /** Rows of a step. */
  readonly rows: RowCounts;
  /** Rows that want logits, where any does. */
  readonly outputs: RowCounts;
  /** True if spans of several rows attend. */
  readonly prefill: boolean;
  /** True if single rows attend. */
  readonly decode: boolean;
  /** True if the likeliest token is chosen. */
  readonly greedy: boolean;
  /** True if tokens are sampled. */
  readonly sampled: boolean;
}

/** The kernels of one model that do not depend on a strategy; those that no step of the range uses are absent. */
interface ModelKernels {
  /** Token and position embedding, by shard. */
  readonly embedding: readonly Compiled[];
  /** Layer norm of every row, of more rows than products make it of. */
  readonly norm: Compiled | undefined;
  /** Layer norm of the rows that want logits. */
  readonly finalNorm: Compiled;
  /** From attention back to the model width. */
  readonly proj: Compiled;
  /** Feed-forward, with GELU. */
  readonly fc: Compiled;
  /** Feed-forward, back to the model width. */
  readonly out: Compiled;
  /** To logits, by shard. */
  readonly head: readonly Compiled[];
  /** Joins the splits of a decode attention, where it is split. */
  readonly combine: Compiled | undefined;
  /** The likeliest token, or those of parts of the vocabulary. */
  readonly argmax: Compiled | undefined;
  /** Joins the parts, where there are several. */
  readonly argmaxJoin: Compiled | undefined;
  /** Joins what the head has found, of few outputs. */
  readonly headJoin: Compiled | undefined;
  /** A sampled token. */
  readonly sample: Compiled | undefined;
}

/** The kernels of the steps of a range; those that none of them uses are absent. */
export interface StepKernels extends ModelKernels {
  /** Rotates queries, keys and values, where K or V is stored rotated. */
  readonly rotate: Compiled | undefined;
  /** Rotates attention's output back, where V is stored rotated. */
  readonly rotateBack: Compiled | undefined;
  /** To queries, keys and values. */
  readonly qkv: Compiled;
  /** Rows up to which `qkv` stores them in the cache. */
  readonly storedRows: number;
  /** Stores more rows in the cache. */
  readonly write: Compiled | undefined;
  /** Rows of single sequences up to which `joinedProj` joins the splits of their attention. */
  readonly joinedRows: number;
  /** From the splits of attention back to the model width. */
  readonly joinedProj: Compiled | undefined;
  /** Attends single rows. */
  readonly decode: Compiled | undefined;
  /** Attends tiles of rows. */
  readonly prefill: Compiled | undefined;
}

interface WteShards {
  /** In the order of their tokens. */
  readonly wte: readonly MatrixShape[];
}

/** The products of a model: what each is compiled of, and the head of one shard. */
export function productsOf({ e4, a4, i4, v4 }: Dims) {
  return {
    qkv: { role: "qkv", k4: e4, n4: 3 * a4, ...PRODUCTS.qkv },
    proj: { role: "proj", k4: a4, n4: e4, ...PRODUCTS.proj },
    fc: { role: "fc", k4: e4, n4: i4, ...PRODUCTS.fc },
    out: { role: "out", k4: i4, n4: e4, ...PRODUCTS.out },
    head: ({ n4, firstN4 }: Pick<MatrixShape, "n4" | "firstN4">) => ({
      ...{ role: "head", k4: e4, n4, yStride4: v4, yOffset4: firstN4, ofOutputs: true },
    }),
  } as const;
}

/** Returns a tuning in which a device can run every kernel of a model: products that do more bind more, and share more. */
export function fitted(tuning: Tuning, context: Omit<KernelContext, "tuning">): Tuning {
  const { device, layouts, config, weightsDtype } = context;
  const roundedBytes = weightStorage(weightsDtype).inputs ? 8 * dimsOf(config).e4 : 0;
  const normBytes = 16 * (Math.ceil(dimsOf(config).e4 / 256) * 256 + 256);
  const sharedBytes = normBytes + MOST_SHARED_BYTES + roundedBytes;
  const { fuses = false } = linearRowForm(tuning, weightsDtype);
  const norms = fuses && tuning.normedRows > 0 && bindsAll(device, [layouts.step, layouts.of(NORMED_USES)]) &&
    sharedBytes <= device.limits.maxComputeWorkgroupStorageSize;
  const chooses = fuses && tuning.chosenRows > 0 && bindsAll(device, [layouts.step, layouts.of(BEST_USES)]);
  return { ...tuning, ...!norms && { normedRows: 0 }, ...!chooses && { chosenRows: 0 } };
}

/** Returns the rows up to which QKV's product stores K and V. */
function storedRowsOf({ device, layouts, tuning }: KernelContext, kv: KvSource): number {
  const own = layouts.of(tuning.normedRows > 0 ? NORMED_USES : linearUses(PRODUCTS.qkv));
  const groups = [layouts.step, own, kv.layouts.write];
  return kv.inPassing && bindsAll(device, groups) ? tuning.storedRows : 0;
}

/** The most vectors of a row that a product joins: half of the workgroup memory that every device has. */
const MOST_JOINED = 512;

/** Returns the rows up to which the projection joins the splits of attention: none where V has to be rotated back first. */
export function joinedRowsOf({ config, tuning }: KernelContext, { rotates }: KvSource): number {
  const { kSplit, subgroups, splitTokens, texels, maxSingleRows } = tuning;
  const joins = splitTokens > 0 && !texels && (kSplit > 1 || subgroups) && !rotates[1];
  return joins && dimsOf(config).a4 <= MOST_JOINED ? maxSingleRows : 0;
}

/** Tells whether the projection of a batch joins the splits of attention. */
export function joinsSplits({ nRows, nDecodeTiles }: Batch, joinedRows: number): boolean {
  return nRows === nDecodeTiles && nRows <= joinedRows;
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
  const products = productsOf(dimsOf(context.config));
  const { tuning } = context, headParts = headPartsOf(tuning, wte), apart = outputs[1] > tuning.chosenRows;
  const join = (parts: number) => compileOperator(context, ARGMAX_JOIN, { parts });
  const linear = (of: LinearOf) => compileOperator(context, LINEAR, { rows, ...of });
  const [embedding, head, norm, finalNorm, proj, fc, out, combine, argmax, argmaxJoin, headJoin, sample] =
    await Promise
      .all([
        Promise.all(wte.map((shard) => compileOperator(context, EMBEDDING, shard))),
        Promise.all(
          wte.map((shard, i) => linear({ ...products.head(shard), rows: outputs, best: headParts[i]! })),
        ),
        normsRows(rows[1], context.tuning)
          ? undefined
          : compileOperator(context, LAYER_NORM, { gather: false }),
        compileOperator(context, LAYER_NORM, { gather: true }),
        linear(products.proj),
        linear(products.fc),
        linear(products.out),
        decode && context.tuning.splitTokens > 0
          ? compileOperator(context, ATTENTION_COMBINE, undefined)
          : undefined,
        greedy && apart ? compileOperator(context, ARGMAX, undefined) : undefined,
        greedy && apart && tuning.argmaxParts > 1 ? join(tuning.argmaxParts) : undefined,
        greedy && tuning.chosenRows > 0 ? join(headParts[0]!.parts) : undefined,
        sampled ? compileOperator(context, SAMPLE, undefined) : undefined,
      ]);
  return { embedding, norm, finalNorm, proj, fc, out, head, combine, argmax, argmaxJoin, headJoin, sample };
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
  const { rotates } = kv, { rows } = range, storedRows = storedRowsOf(context, kv);
  const joinedRows = joinedRowsOf(context, kv), products = productsOf(dimsOf(context.config));
  const joined = [rows[0], Math.min(rows[1], joinedRows)] as const;
  const [model, qkv, joinedProj, rotate, rotateBack, write, prefill, decode] = await Promise.all([
    createModelKernels(context, shards, range),
    compileOperator(context, LINEAR, { ...products.qkv, rows, kv: storedRows > 0 ? kv : undefined }),
    range.decode && joined[0] <= joined[1]
      ? compileOperator(context, LINEAR, { ...products.proj, rows: joined, joins: true })
      : undefined,
    rotates.includes(true) ? compileOperator(context, ROTATE, rotationOf(rotates)) : undefined,
    rotates[1] ? compileOperator(context, ROTATE, ROTATION_BACK) : undefined,
    rows[1] > storedRows ? compileOperator(context, KV_WRITE, kv) : undefined,
    range.prefill ? compileOperator(context, ATTENTION_PREFILL, kv) : undefined,
    range.decode ? compileOperator(context, ATTENTION_DECODE, kv) : undefined,
  ]);
  return { ...model, storedRows, qkv, joinedRows, joinedProj, rotate, rotateBack, write, prefill, decode };
}

/**
 * Returns a kernel that the steps of the range use.
 *
 * @throws {Error} If they do not.
 */
export function compiled(kernel: Compiled | undefined): Compiled {
  if (kernel === undefined) throw new Error("No kernel for this step: its range left it out");
  return kernel;
}
