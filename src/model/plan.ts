/**
 * Plans of kernels: what they are compiled from, and their grids. Owns bind group layouts and compilation.
 */
import type { Gpt2Config } from "../checkpoint/config.ts";
import type { Dtype } from "../formats/registry.ts";
import { type Access, BindLayout } from "../gpu/bind_layout.ts";
import { createKernel, type Kernel, type KernelSpec } from "../gpu/kernel.ts";
import type { Recorder } from "../gpu/recorder.ts";
import type { Batch } from "./batch.ts";
import { stepLayout } from "./step_tables.ts";
import type { Tuning } from "./tuning.ts";
import type { Walk } from "../gpu/walk.ts";

/**
 * The use of a binding by a kernel. An `operand` is a weight matrix or another kernel's activation output, a `result` is an
 * activation output that others read so: both are in texture storage where the tuning says so.
 */
export type Use = Access | "operand" | "result";

/** Uses of an operator's own bindings, `@group(1)`, in the order of their numbers. */
export type Uses<Name extends string = string> = Readonly<Record<Name, Use>>;

/** Bind group layouts of `@group(0)`, and of operators' bindings. */
export class Layouts {
  readonly #device: GPUDevice;
  readonly #texels: boolean;
  readonly #made = new Map<Uses, BindLayout>();
  /** The layout of `@group(0)`: the tables of a step. */
  readonly step: ReturnType<typeof stepLayout>;

  /**
   * Begins with the layout of a step's tables.
   *
   * @param tuning Says whether operands and results are textures.
   */
  constructor(device: GPUDevice, { texels }: Pick<Tuning, "texels">) {
    this.#device = device;
    this.#texels = texels;
    this.step = stepLayout(device);
  }

  /** Makes the layout of an operator's bindings, once. */
  of<Name extends string>(uses: Uses<Name>): BindLayout<Name> {
    const known = this.#made.get(uses);
    if (known) return known as BindLayout<Name>;
    const accesses = Object.entries<Use>(uses).map(([name, use]) => [name, this.#accessOf(use)]);
    const label = Object.keys(uses).join(", ");
    const layout = new BindLayout<Name>(this.#device, label, Object.fromEntries(accesses));
    this.#made.set(uses, layout);
    return layout;
  }

  #accessOf(use: Use): Access {
    if (use === "operand") return this.#texels ? "readTexels" : "read";
    if (use === "result") return this.#texels ? "writeTexels" : "readWrite";
    return use;
  }
}

/** The context that kernels are compiled in. */
export interface KernelContext {
  /** The device to compile for. */
  readonly device: GPUDevice;
  /** The bind group layouts. */
  readonly layouts: Layouts;
  /** The model's dimensions. */
  readonly config: Gpt2Config;
  /** The kernel variants. */
  readonly tuning: Tuning;
  /** Storage type of weight matrices. */
  readonly weightsDtype: Dtype;
}

type Grid = readonly [x: number, y?: number, z?: number];

/** A kernel, and when and how it is dispatched. */
export interface KernelPlan {
  /** The kernel. */
  readonly spec: KernelSpec;
  /** Tells whether it is the one for a batch. Default: it is. */
  takes?(batch: Batch): boolean;
  /** Returns its workgroups for a batch. */
  grid(batch: Batch): Grid;
  /** The way of its lanes through what it reads most of, for judging it without a GPU. Default: nobody asks. */
  readonly walk?: Walk;
}

/** Kernels of an operator, compiled. */
export interface Compiled {
  /**
   * Records the dispatch for a batch; `groups` are bound from `@group(1)` on.
   *
   * @throws {Error} If it was compiled for other batches.
   */
  record(recorder: Recorder, groups: readonly GPUBindGroup[], batch: Batch): void;
}

/**
 * Compiles plans.
 *
 * @throws {KvbenchError} If a kernel does not compile.
 */
export async function compilePlans(device: GPUDevice, plans: readonly KernelPlan[]): Promise<Compiled> {
  const compile = async (plan: KernelPlan): Promise<[KernelPlan, Kernel]> => [
    plan,
    await createKernel(device, { ...plan.spec, walk: plan.walk }),
  ];
  const kernels = await Promise.all(plans.map(compile));
  return {
    record: (recorder, groups, batch) => {
      const found = kernels.find(([plan]) => plan.takes?.(batch) ?? true);
      if (!found) throw new Error(`No kernel for ${batch.nRows} rows: compiled for others`);
      const [plan, kernel] = found, [x, y = 1, z = 1] = plan.grid(batch);
      recorder.dispatch(kernel, groups, x, y, z);
    },
  };
}
