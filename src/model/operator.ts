/**
 * The declaration of an operator: the WGSL of its kernels, what they bind, their overrides, their grids, their costs, and
 * the trials in which they are held against a CPU reference. The model compiles and records what is declared here, and
 * checks run the same. Each operator stands in a folder of `wgsl/ops`.
 */
import type { Gpt2Config } from "../checkpoint/config.ts";
import type { Dtype } from "../formats/registry.ts";
import type { WgslFile } from "../gpu/wgsl.ts";
import type { KvAround } from "../kv/around.ts";
import type { Batch } from "./batch.ts";
import { type Compiled, compilePlans, type KernelContext, type KernelPlan } from "./plan.ts";
import type { CheckedModel, Trial } from "./trial.ts";
import type { Tuning } from "./tuning.ts";

/** The least that dispatches must do: every input is read once and every output written once. */
export interface Cost {
  /** Bytes that they must read and write. */
  readonly bytes: number;
  /** Multiply-adds. A lone addition or multiplication counts as one; comparisons, exponentials and roots don't count. */
  readonly macs: number;
}

/** The context of costs beside the batch. */
export interface CostModel {
  /** The model's dimensions. */
  readonly config: Gpt2Config;
  /** Storage type of weight matrices. */
  readonly weightsDtype: Dtype;
  /** Storage type of K and V. */
  readonly kvDtype: Dtype;
  /** The kernel variants. */
  readonly tuning: Tuning;
  /** Rows up to which QKV's product stores K and V. Default: a dispatch of its own always does. */
  readonly storedRows?: number;
  /** Rows up to which the projection joins the splits of attention. Default: a dispatch of its own always does. */
  readonly joinedRows?: number;
  /** Returns how many entries the last row of a sequence goes through when it has `length` tokens. Default: all. */
  entries?(length: number, sequence: number): number;
  /** The strategy's operators around attention. Default: none. */
  readonly around?: Pick<KvAround, "costs"> | undefined;
}

/** Trials of one kernel in one of its variants. */
export interface OperatorCheck {
  /** The kernel's file. */
  readonly file: WgslFile;
  /** Its variant, such as `int8, software tuning`. */
  readonly variant: string;
  /** Makes the trials. */
  trials(): readonly Trial[];
}

/**
 * An operator, compiled of `Of`: what tells its places in a model apart, such as the shape of a matrix. Its costs depend
 * on `CostOf` alone.
 */
export interface Operator<Of = void, CostOf = Of> {
  /** Its name: profiles count its kernels under it, unless `Of` names them. */
  readonly name: string;
  /** The WGSL files of its own. */
  readonly files: readonly WgslFile[];
  /** Plans its kernels: of those, each batch takes the first one that takes it. */
  plans(context: KernelContext, of: Of): readonly KernelPlan[];
  /** Computes what one dispatch for a batch costs. */
  cost(batch: Batch, model: CostModel, of: CostOf): Cost;
  /** Lists what is to be checked of it for a model. */
  checks(model: CheckedModel): readonly OperatorCheck[];
}

/**
 * Compiles an operator.
 *
 * @throws {KvbenchError} If a kernel does not compile.
 */
export function compileOperator<Of>(
  context: KernelContext,
  operator: Pick<Operator<Of>, "plans">,
  of: Of,
): Promise<Compiled> {
  return compilePlans(context.device, operator.plans(context, of));
}
