/**
 * Figures of hardware's kernels that take no compiler: workgroups, reads one after another, lines of the cache,
 * from the grids and addresses that operators declare, at GPT-2 124M's shapes.
 *
 * @module
 */
import { PRESETS } from "../../src/checkpoint/config.ts";
import type { Dtype } from "../../src/formats/registry.ts";
import { type Batch, batchOf } from "../../src/model/batch.ts";
import { dimsOf } from "../../src/model/dims.ts";
import { productsOf } from "../../src/model/kernels.ts";
import { type KernelContext, type KernelPlan, Layouts } from "../../src/model/plan.ts";
import type { Tuning } from "../../src/model/tuning.ts";
import { linesOverLeast, WAVES } from "../../src/model/walk.ts";
import { ARGMAX, ARGMAX_JOIN } from "../../wgsl/ops/argmax/operator.ts";
import { LAYER_NORM } from "../../wgsl/ops/layer_norm/operator.ts";
import { type HeadParts, headPartsOf, type LinearOf } from "../../wgsl/ops/linear/forms.ts";
import { LINEAR } from "../../wgsl/ops/linear/operator.ts";
import { SAMPLE } from "../../wgsl/ops/sample/operator.ts";

/** Tokens before the decode step, and of the prefill. */
export const CONTEXT = 512;
/** Rows of the steps that are looked at. */
export const STEPS = {
  decode: batchOf([{ sequence: 0, first: CONTEXT, count: 1, outputs: 1 }]),
  "8 rows": batchOf(
    Array.from({ length: 8 }, (_, sequence) => ({ sequence, first: CONTEXT, count: 1, outputs: 1 })),
  ),
  prefill: batchOf([{ sequence: 0, first: 0, count: CONTEXT, outputs: 1 }]),
} as const satisfies Record<string, Batch>;
/** One of the steps. */
type StepName = keyof typeof STEPS;

/** A kernel of a step, named by its work. */
interface StepKernel {
  readonly name: string;
  readonly step: StepName;
  readonly plan: KernelPlan;
}

/** Figures of a kernel from its grid and addresses. */
interface StaticFigures {
  /** Workgroups of a dispatch. */
  readonly workgroups: number;
  /** Lanes of a workgroup. */
  readonly lanes: number;
  /** Reads of a lane one after another. */
  readonly trips: number;
  /** Lines that a load touches over the least possible, of waves of 32 and 64. */
  readonly lines: number;
  /** Floating-point operations per byte that a workgroup reads. */
  readonly flopPerByte: number | undefined;
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
  const named = (name: string, step: StepName, plans: readonly KernelPlan[]): StepKernel => ({
    name,
    step,
    plan: plans.find((plan) => plan.takes?.(STEPS[step]) ?? true)!,
  });
  return [
    ...linear.flatMap((of) =>
      steps.filter(([step]) => step !== "prefill" || !of.ofOutputs).map(([step]) =>
        named(of.role!, step, LINEAR.plans(context, of))
      )
    ),
    named("norm", "decode", LAYER_NORM.plans(context, { gather: false })),
    named("argmax join", "decode", ARGMAX_JOIN.plans(context, best)),
    named("argmax", "8 rows", ARGMAX.plans(context)),
    named("argmax join", "8 rows", ARGMAX_JOIN.plans(context, { parts: context.tuning.argmaxParts })),
    named("sample", "decode", SAMPLE.plans(context)),
  ];
}

/** Computes a kernel's figures; undefined where its operator does not tell its way. */
export function staticFigures({ plan: { grid, walk }, step }: StepKernel): StaticFigures | undefined {
  if (!walk) return undefined;
  const [x, y = 1, z = 1] = grid(STEPS[step]);
  return {
    workgroups: x * y * z,
    lanes: walk.lanes,
    trips: walk.trips,
    lines: Math.max(...WAVES.map((wave) => linesOverLeast(walk, wave))),
    flopPerByte: walk.flopPerByte,
  };
}

/** Makes what plans are made with, on a device that compiles nothing. */
export function planningContext(tuning: Tuning, weightsDtype: Dtype): KernelContext {
  const device = { createBindGroupLayout: () => ({}) } as unknown as GPUDevice;
  return { device, layouts: new Layouts(device, tuning), config: PRESETS.gpt2, tuning, weightsDtype };
}
