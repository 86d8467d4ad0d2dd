/**
 * The seam between a model and what computes with it: decoding, measuring and simulating need no more of a model than
 * this, and know no architecture. GPT-2 is one implementation.
 */
import type { Gpt2Config } from "../checkpoint/config.ts";
import type { Dtype } from "../formats/registry.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { LedgerVectors } from "../gpu/ledger.ts";
import type { Recorder } from "../gpu/recorder.ts";
import type { KvAround, KvModel } from "../kv/around.ts";
import type { KvGroups, KvSource } from "../kv/source.ts";
import type { Batch, BatchLimits } from "./batch.ts";
import type { Dims } from "./dims.ts";
import type { StepKernels, StepRange } from "./kernels.ts";
import type { Cost, CostModel } from "./operator.ts";
import type { Layouts } from "./plan.ts";
import type { ProductTrials } from "./product_trials.ts";
import type { Tuning } from "./tuning.ts";
import type { Workspace } from "./workspace.ts";

/** Every step that a model can compute. */
export const ANY_STEP: StepRange = {
  rows: [1, Infinity],
  outputs: [1, Infinity],
  prefill: true,
  decode: true,
  greedy: true,
  sampled: true,
};

/** K and V as a forward pass sees them. */
export interface KvAccess {
  /** The kernels of the steps that come, compiled for the strategy. */
  readonly kernels: StepKernels;
  /** Returns how many entries the last row of a sequence goes through when it has `length` tokens. */
  entries(length: number, sequence: number): number;
  /** Returns what holds a layer's K and V. */
  bindGroups(layer: number): KvGroups;
  /** The strategy's operators around attention. */
  readonly around?: KvAround | undefined;
}

/** One stage of a forward pass: a module of the model, as `transformers` has them. */
export interface Stage {
  /** Its layer; left out where it is in none. */
  readonly layer?: number;
  /** Its name, in its layer where it has one. */
  readonly module: string;
  /** Its result, until another stage overwrites it. */
  readonly result: StageResult;
  /** Records it for one batch, after those before it. */
  record(recorder: Recorder, batch: Batch, kv: KvAccess): void;
}

/** The result of a stage: [rows, width4] vectors of four. */
interface StageResult {
  /** The vectors. */
  readonly of: LedgerVectors;
  /** Vectors of a row. */
  readonly width4: number;
  /** True if rows are the batch's outputs; they are all its rows otherwise. */
  readonly ofOutputs?: boolean;
}

/** The part of a strategy that costs depend on. */
export type KvCosts = Pick<CostModel, "kvDtype" | "storedRows" | "joinedRows" | "entries" | "around">;

/** A model on a GPU. */
export interface Model {
  /** The GPU that holds the weights. */
  readonly gpu: Gpu;
  /** The model's dimensions. */
  readonly config: Pick<Gpt2Config, "vocabSize" | "nCtx" | "nEmbd" | "nHead" | "nLayer">;
  /** Numbers in the token embedding, the layers and the head. */
  readonly nParameters: number;
  /** @internal The padded dimensions. */
  readonly dims: Dims;
  /** @internal The kernel variants in use. */
  readonly tuning: Tuning;
  /** Storage type of weight matrices. */
  readonly weightsDtype: Dtype;
  /**
   * The layout of `@group(0)`: the tables of a step.
   *
   * @internal For the parts of kvbench alone.
   */
  readonly stepLayout: Layouts["step"];
  /** @internal Its part in operators that a strategy compiles. */
  readonly kvModel: KvModel;
  /**
   * Compiles the kernels that steps of a range use with a strategy. Default: every step.
   *
   * @internal For the parts of kvbench alone.
   * @throws {KvbenchError} If one does not compile.
   */
  stepKernels(source: KvSource, range?: StepRange): Promise<StepKernels>;
  /** @internal Returns the same model with a dispatch of its own for every stage. */
  unfused(): Model;
  /** @internal Allocates activations for batches within `limits`, with K and V of a strategy. */
  workspace(limits: BatchLimits, kv: Pick<KvSource, "rotates">): Workspace;
  /** @internal Records a forward pass over a batch, whose logits are then in the workspace. */
  forward(recorder: Recorder, workspace: Workspace, batch: Batch, kv: KvAccess): void;
  /** @internal Returns the stages of a forward pass in a workspace, in their order. */
  stages(workspace: Workspace): readonly Stage[];
  /**
   * Records the choice of each output's next token: the likeliest one or, if `sampled`, as the workspace's sampling
   * buffer says for its sequence. Where logits are not finite, it is `NOT_FINITE` of `finite.ts`.
   *
   * @internal For the parts of kvbench alone.
   */
  choose(recorder: Recorder, workspace: Workspace, batch: Batch, kv: KvAccess, sampled: boolean): void;
  /**
   * Returns the costs of one step with a greedy choice, by kernel; what the step does not dispatch is not in it.
   *
   * @internal For the parts of kvbench alone.
   */
  costs(batch: Batch, kv: KvCosts): Readonly<Record<string, Cost>>;
  /**
   * Makes every variant of the products of a decode step on these weights, to be timed.
   *
   * @internal For the parts of kvbench alone.
   * @throws {KvbenchError} If the device has no timestamps or a kernel does not compile.
   */
  productTrials(): Promise<ProductTrials>;
}
