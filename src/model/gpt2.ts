/**
 * GPT-2: embed → layers → logits, over a flat batch of rows. Knows neither requests nor where K and V live: rows
 * come in a batch, K and V through the kernels and bind groups of a strategy.
 *
 * Radford et al. 2019, "Language Models are Unsupervised Multitask Learners"; tensor layout as in the
 * `transformers` library.
 */
import type { Gpu } from "../gpu/gpu.ts";
import { DEFAULT_DTYPE, type Dtype, DTYPES, formatOf } from "../formats/registry.ts";
import type { Recorder } from "../gpu/recorder.ts";
import { SHARED_FILES } from "../gpu/join.ts";
import { SUBGROUPS } from "../gpu/subgroups.ts";
import { joinedCode } from "../gpu/wgsl.ts";
import type { KvModel } from "../kv/around.ts";
import { KV_FILES } from "../kv/files.ts";
import { strategyFiles } from "../kv/registry.ts";
import type { KvSource } from "../kv/source.ts";
import type { Batch, BatchLimits } from "./batch.ts";
import type { TensorSource } from "../checkpoint/checkpoint.ts";
import { type Gpt2Config, parameterCount } from "../checkpoint/config.ts";
import { stepCosts } from "./costs.ts";
import { type Dims, dimsOf } from "./dims.ts";
import { inputFile, IO_FILES } from "./io.ts";
import {
  compiled,
  createModelKernels,
  createStepKernels,
  fitted,
  type StepKernels,
  type StepRange,
} from "./kernels.ts";
import { ANY_STEP, type KvAccess, type KvCosts, type Model, type Stage } from "./model.ts";
import { OPERATORS } from "./operators.ts";
import { type KernelContext, Layouts } from "./plan.ts";
import { ProductTrials } from "./product_trials.ts";
import { stagesIn } from "./stages.ts";
import { type Tuning, tuningFor } from "./tuning.ts";
import { uploadWeights, wteShards } from "./upload.ts";
import type { Gpt2Weights } from "./weights.ts";
import { Workspace } from "./workspace.ts";

/** The code of all kernels, for a hash that says which kernels a result came from. */
export const KERNELS_TEXT: string = joinedCode([
  ...SHARED_FILES,
  SUBGROUPS,
  ...IO_FILES,
  ...OPERATORS.flatMap(({ files }) => files),
  ...strategyFiles(),
  ...DTYPES.map(formatOf).flatMap(({ weights, kv }) =>
    [weights?.wgsl, weights?.four, weights?.inputs?.wgsl, kv?.wgsl].flatMap((file) => file ?? [])
  ),
  ...KV_FILES,
]);

/** Options of {@link Gpt2.load}. */
export interface LoadOptions {
  /** Called after each tensor, or part of one, with the elements uploaded so far. */
  readonly onProgress?: (elements: number) => void;
  /** The most bytes that a tensor, or a shard of the token embedding or head, may take. Default: what the device binds. */
  readonly maxBindingBytes?: number;
  /** @internal The kernel variants. Default: those for the adapter's kind. */
  readonly tuning?: Tuning;
  /** Storage type of weight matrices. Default: float32. */
  readonly weightsDtype?: Dtype;
  /**
   * @internal The steps that come first: their kernels are compiled beside the weights' loading. Default: none are.
   */
  readonly firstSteps?: StepRange;
}

/** A loaded model. */
export class Gpt2 implements Model {
  /** The GPU that holds the weights. */
  readonly gpu: Gpu;
  /** The model's dimensions. */
  readonly config: Gpt2Config;
  /** @internal The padded dimensions. */
  readonly dims: Dims;
  /** Numbers in the token embedding, the layers and the head. */
  readonly nParameters: number;
  /** @internal The kernel variants in use. */
  readonly tuning: Tuning;
  /** Storage type of weight matrices. */
  readonly weightsDtype: Dtype;
  /** The time that it took to upload the weights and, after that, until the first steps' kernels were compiled, in ms. */
  readonly loadMs: { readonly weights: number; readonly kernels: number };
  readonly #weights: Gpt2Weights;
  readonly #layouts: Layouts;
  readonly #stages = new WeakMap<Workspace, readonly Stage[]>();

  private constructor(
    gpu: Gpu,
    { config, tuning, weightsDtype, layouts }: KernelContext,
    weights: Gpt2Weights,
    loadMs: Gpt2["loadMs"],
  ) {
    this.gpu = gpu;
    this.config = config;
    this.dims = dimsOf(config);
    this.nParameters = parameterCount(config);
    this.tuning = tuning;
    this.weightsDtype = weightsDtype;
    this.#weights = weights;
    this.#layouts = layouts;
    this.loadMs = loadMs;
  }

  /**
   * Uploads a checkpoint, and compiles the kernels of the first steps meanwhile.
   *
   * @throws {KvbenchError} If the checkpoint or the device does not allow it.
   */
  static async load(
    gpu: Gpu,
    checkpoint: TensorSource,
    { tuning = tuningFor(gpu.facts), weightsDtype = DEFAULT_DTYPE, firstSteps, ...upload }: LoadOptions = {},
  ): Promise<Gpt2> {
    const { config } = checkpoint;
    const { tileGroup, byVector, texels } = tuning;
    const packing = { tileGroup, byVector, dtype: weightsDtype };
    const layouts = new Layouts(gpu.device, tuning);
    const own = { device: gpu.device, layouts, config, weightsDtype };
    const context = { ...own, tuning: fitted(tuning, own) };
    const start = performance.now();
    const shards = { wte: wteShards(gpu.device, config, { ...upload, packing }) };
    const compiled = firstSteps && createModelKernels(context, shards, firstSteps);
    compiled?.catch(() => {}); // told below, where the weights are there to be freed
    const weights = await uploadWeights(gpu, checkpoint, { ...upload, packing, texels });
    const uploaded = performance.now();
    try {
      await compiled;
      await new Promise((resolve) => setTimeout(resolve)); // a loss is told in a turn of its own
      gpu.assertHealthy();
      const loadMs = { weights: uploaded - start, kernels: performance.now() - uploaded };
      return new Gpt2(gpu, context, weights, loadMs);
    } catch (error) {
      weights.dispose();
      throw error;
    }
  }

  /**
   * The same weights with other kernel variants; they stay the first one's to free.
   *
   * @internal For the parts of kvbench alone.
   * @throws {Error} If the variants want the weights to lie otherwise.
   */
  withTuning(tuning: Tuning): Gpt2 {
    const { gpu, config, weightsDtype, loadMs } = this;
    if (!samePacking(tuning, this.tuning)) {
      throw new Error("The weights lie otherwise: expected variants that want them as they are");
    }
    const own = { device: gpu.device, layouts: this.#layouts, config, weightsDtype };
    const context = { ...own, tuning: fitted(tuning, own) };
    return new Gpt2(gpu, context, this.#weights, loadMs);
  }

  /** @internal The same model with a dispatch of its own for every stage. */
  unfused(): Gpt2 {
    return this.withTuning({ ...this.tuning, normedRows: 0, storedRows: 0, chosenRows: 0, splitTokens: 0 });
  }

  /**
   * The layout of `@group(0)`, for {@link StepTables}.
   *
   * @internal For the parts of kvbench alone.
   */
  get stepLayout(): Layouts["step"] {
    return this.#layouts.step;
  }

  /** @internal Its part in operators that a strategy compiles. */
  get kvModel(): KvModel {
    const { nLayer, nHead, headDim, nCtx } = this.config;
    const own = { gpu: this.gpu, layouts: this.#layouts, input: inputFile(this.tuning) };
    return { ...own, nLayer, nHead, headDim, nCtx, lanes: this.tuning.decodeLanes };
  }

  /**
   * Compiles the kernels that steps of a range use with a strategy. Default: every step.
   *
   * @internal For the parts of kvbench alone.
   * @throws {KvbenchError} If one does not compile.
   */
  stepKernels(source: KvSource, range: StepRange = ANY_STEP): Promise<StepKernels> {
    const { gpu, config, tuning, weightsDtype } = this;
    const context = { device: gpu.device, layouts: this.#layouts, config, tuning, weightsDtype };
    return createStepKernels(context, this.#weights, source, range);
  }

  /**
   * Every variant of the products of a decode step on these weights, to be timed.
   *
   * @internal Only profiles need it.
   * @throws {KvbenchError} If the device has no timestamps or a kernel does not compile.
   */
  productTrials(): Promise<ProductTrials> {
    const { gpu, config, tuning, weightsDtype } = this;
    const layouts = this.#layouts;
    return ProductTrials.create(
      gpu,
      { device: gpu.device, layouts, config, tuning, weightsDtype },
      this.#weights,
    );
  }

  /** @internal Allocates activations for batches within `limits`, with K and V of a strategy. */
  workspace(limits: BatchLimits, { rotates }: Pick<KvSource, "rotates">): Workspace {
    const { config, tuning, weightsDtype } = this;
    return new Workspace(
      this.gpu,
      { config, weights: this.#weights, layouts: this.#layouts, tuning, weightsDtype },
      limits,
      rotates,
    );
  }

  /**
   * Records the pass from token ids to logits [nOutputs, V4 * 4] for one batch. `@group(0)` must be bound to
   * the batch's tables.
   *
   * @internal For the parts of kvbench alone.
   */
  forward(recorder: Recorder, workspace: Workspace, batch: Batch, kv: KvAccess): void {
    for (const stage of this.stages(workspace)) stage.record(recorder, batch, kv);
  }

  /** @internal The stages of a forward pass in a workspace, in their order. */
  stages(workspace: Workspace): readonly Stage[] {
    const known = this.#stages.get(workspace) ?? stagesIn(this, workspace);
    this.#stages.set(workspace, known);
    return known;
  }

  /**
   * @internal Records the choice of each output's next token: the likeliest one or, if `sampled`, as the workspace's
   * sampling buffer says for its sequence. Where logits are not finite, it is `NOT_FINITE` of `finite.ts`.
   */
  choose(
    recorder: Recorder,
    workspace: Workspace,
    batch: Batch,
    { kernels: { sample, argmax, argmaxJoin, headJoin } }: KvAccess,
    sampled: boolean,
  ): void {
    if (sampled) return compiled(sample).record(recorder, [workspace.sample], batch);
    if (batch.nOutputs <= this.tuning.chosenRows) {
      return compiled(headJoin).record(recorder, [workspace.headJoin!], batch);
    }
    compiled(argmax).record(recorder, [workspace.argmax], batch);
    if (workspace.argmaxJoin) compiled(argmaxJoin).record(recorder, [workspace.argmaxJoin], batch);
  }

  /** @internal Returns the costs of one step with a greedy choice, by kernel. */
  costs(
    batch: Batch,
    kv: KvCosts,
  ): ReturnType<typeof stepCosts> {
    const { config, weightsDtype, tuning } = this;
    return stepCosts(batch, { config, weightsDtype, tuning, ...kv });
  }

  /** Frees the weights. */
  dispose(): void {
    this.#weights.dispose();
  }
}

/** Tells whether weights lie alike for two choices of kernel variants. */
export function samePacking(a: Tuning, b: Tuning): boolean {
  return a.tileGroup === b.tileGroup && a.byVector === b.byVector && a.texels === b.texels;
}
