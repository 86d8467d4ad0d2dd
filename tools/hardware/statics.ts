/**
 * Figures of hardware's kernels that take no compiler: workgroups, reads one after another, lines of the cache,
 * from the grids and addresses that operators declare, at GPT-2 124M's shapes.
 */
import { PRESETS } from "../../src/checkpoint/config.ts";
import type { KvDtype } from "../../src/formats/kv_dtype.ts";
import type { Dtype } from "../../src/formats/registry.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import { DEFAULT_LIMITS } from "../../src/gpu/limits.ts";
import { KvLayout } from "../../src/kv/layout.ts";
import { chooseKv, sharingStrategy } from "../../src/kv/registry.ts";
import type { KvSource } from "../../src/kv/source.ts";
import { makeKv } from "../../src/kv/strategy_def.ts";
import { type Batch, batchOf } from "../../src/model/batch.ts";
import { dimsOf } from "../../src/model/dims.ts";
import { productsOf } from "../../src/model/kernels.ts";
import { type KernelContext, type KernelPlan, Layouts } from "../../src/model/plan.ts";
import type { Tuning } from "../../src/model/tuning.ts";
import { mostLines } from "../../src/gpu/walk.ts";
import { ARGMAX, ARGMAX_JOIN } from "../../wgsl/ops/argmax/operator.ts";
import { ATTENTION_DECODE, ATTENTION_PREFILL } from "../../wgsl/ops/attention/operator.ts";
import { KV_WRITE } from "../../wgsl/ops/kv_write/operator.ts";
import { LAYER_NORM } from "../../wgsl/ops/layer_norm/operator.ts";
import { type HeadParts, headPartsOf, type LinearOf } from "../../wgsl/ops/linear/forms.ts";
import { LINEAR } from "../../wgsl/ops/linear/operator.ts";
import { SAMPLE } from "../../wgsl/ops/sample/operator.ts";

/** Limits of the device: lanes of a workgroup that GPUs have, and what every device has. */
const LIMITS = {
  ...DEFAULT_LIMITS,
  maxComputeInvocationsPerWorkgroup: 1024,
  maxComputeWorkgroupSizeX: 1024,
};
/** Tokens before the decode step, and of the prefill. */
const CONTEXT = 512;
/** Rows of the steps that are looked at. */
export const STEPS = {
  decode: batchOf([{ sequence: 0, first: CONTEXT, count: 1, outputs: 1 }]),
  "8 rows": batchOf(
    Array.from({ length: 8 }, (_, sequence) => ({ sequence, first: CONTEXT, count: 1, outputs: 1 })),
  ),
  prefill: batchOf([{ sequence: 0, first: 0, count: CONTEXT, outputs: 1 }]),
} as const satisfies Record<string, Batch>;
type StepName = keyof typeof STEPS;

/** A kernel of a step, named by its work. */
interface StepKernel {
  readonly name: string;
  readonly step: StepName;
  readonly plan: KernelPlan;
}

/** Names the plan that takes a step. */
function named(name: string, step: StepName, plans: readonly KernelPlan[]): StepKernel {
  return { name, step, plan: plans.find((plan) => plan.takes?.(STEPS[step]) ?? true)! };
}

/** Figures of a kernel from its grid and addresses. */
interface StaticFigures {
  /** Workgroups of a dispatch. */
  readonly workgroups: number;
  /** Lanes of a workgroup. */
  readonly lanes: number;
  /** Lanes that read. */
  readonly busy: number;
  /** Reads of a lane one after another. */
  readonly trips: number;
  /** Lines that a load touches over the least possible, of waves of 32 and 64. */
  readonly lines: number;
  /** Floating-point operations per byte that a workgroup reads. */
  readonly flopPerByte: number | undefined;
}

/** The name of a product that joins the splits of attention. */
export function joiningName(product: string): string {
  return `${product} that joins splits`;
}

/** Lists the kernels of GPT-2 124M that touch no K and V. */
export function stepKernels(context: KernelContext): StepKernel[] {
  const products = productsOf(dimsOf(context.config)), { v4 } = dimsOf(context.config);
  const head = products.head({ n4: v4, firstN4: 0 });
  const [best] = headPartsOf(context.tuning, [head]) as [HeadParts];
  const linear: LinearOf[] = [
    products.qkv,
    products.proj,
    products.fc,
    products.out,
    { ...head, best },
  ];
  const steps = Object.entries(STEPS) as [StepName, Batch][];
  return [
    ...linear.flatMap((of) =>
      steps.filter(([step]) => step !== "prefill" || !of.ofOutputs).map(([step]) =>
        named(of.role!, step, LINEAR.plans(context, of))
      )
    ),
    named(joiningName("proj"), "decode", LINEAR.plans(context, { ...products.proj, joins: true })),
    named("norm", "decode", LAYER_NORM.plans(context, { gather: false })),
    named("argmax join", "decode", ARGMAX_JOIN.plans(context, best)),
    named("argmax", "8 rows", ARGMAX.plans(context)),
    named("argmax join", "8 rows", ARGMAX_JOIN.plans(context, { parts: context.tuning.argmaxParts })),
    named("sample", "decode", SAMPLE.plans(context)),
  ];
}

/** Lists the kernels of GPT-2 124M that touch K and V, over blocks. */
export function kvKernels(context: KernelContext, kvDtype: KvDtype): StepKernel[] {
  const kv = planningKv(context, kvDtype), { qkv } = productsOf(dimsOf(context.config));
  const storing = kv.inPassing ? LINEAR.plans(context, { ...qkv, kv }) : [];
  return [
    ...(storing.length > 0 ? ["decode", "8 rows"] as const : []).map((step) =>
      named("qkv that stores K and V", step, storing)
    ),
    named("attention decode", "decode", ATTENTION_DECODE.plans(context, kv)),
    named("attention prefill", "prefill", ATTENTION_PREFILL.plans(context, kv)),
    named("kv write", "decode", KV_WRITE.plans(context, kv)),
  ];
}

/** Computes a kernel's figures; undefined where its operator does not tell its way. */
export function staticFigures({ plan: { grid, walk }, step }: StepKernel): StaticFigures | undefined {
  if (!walk) return undefined;
  const [x, y = 1, z = 1] = grid(STEPS[step]);
  return {
    workgroups: x * y * z,
    lanes: walk.lanes,
    busy: walk.busy ?? walk.lanes,
    trips: walk.trips,
    lines: mostLines(walk),
    flopPerByte: walk.flopPerByte,
  };
}

/** Makes what plans are made with, on a device that compiles nothing. */
export function planningContext(tuning: Tuning, weightsDtype: Dtype): KernelContext {
  const device = { createBindGroupLayout: () => ({}), limits: LIMITS } as unknown as GPUDevice;
  return { device, layouts: new Layouts(device, tuning), config: PRESETS.gpt2, tuning, weightsDtype };
}

/** The part that K and V in blocks have in kernels; nothing is allocated. */
function planningKv({ device, config, tuning: { texels } }: KernelContext, dtype: KvDtype): KvSource {
  const tokens = 2 * CONTEXT, { nHead, nLayer, nCtx } = config;
  const { addressing: { files, slotGroup, overrides, read } } = makeKv(chooseKv(sharingStrategy().name), {
    ...{ nSequences: 1, nLayer, nCtx, maxTokens: tokens, maxRows: tokens },
    ...{ budgetTokens: undefined, swapTokens: 0, watermark: 0 },
  });
  const shape = { nHead, a4: dimsOf(config).a4, dtype, nSequences: 1, texels };
  return new KvLayout({ device } as unknown as Gpu, shape, {
    ...{ files, table: "read", most: tokens, group: slotGroup, read },
    ...overrides && { overrides },
  }).source;
}
