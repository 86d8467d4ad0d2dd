/**
 * GPT-2: embed → layers → logits, over a flat batch of rows. Knows neither requests nor where K and V live: rows
 * come in a batch, K and V through the kernels and bind groups of a strategy.
 *
 * Radford et al. 2019, "Language Models are Unsupervised Multitask Learners"; tensor layout as in the
 * `transformers` library.
 *
 * @module
 */
import type { Gpu } from "../gpu/gpu.ts";
import type { LedgerVectors } from "../gpu/ledger.ts";
import type { Dtype } from "../gpu/dtype.ts";
import type { Recorder } from "../gpu/recorder.ts";
import { joinedCode } from "../gpu/wgsl.ts";
import { KV_FILES } from "../kv/files.ts";
import { strategyFiles } from "../kv/registry.ts";
import type { KvGroups, KvSource } from "../kv/source.ts";
import type { Batch, BatchLimits } from "./batch.ts";
import type { TensorSource } from "../checkpoint/checkpoint.ts";
import type { Gpt2Config } from "../checkpoint/config.ts";
import { type Dims, dimsOf } from "./dims.ts";
import { FILES, WEIGHT_FORMATS } from "./files.ts";
import {
  createKvKernels,
  createModelKernels,
  type KvKernels,
  type ModelKernels,
  splitsOf,
} from "./kernels.ts";
import { createLayouts, type KernelContext } from "./layouts.ts";
import { ProductTrials } from "./product_trials.ts";
import { type Tuning, tuningFor } from "./tuning.ts";
import { type Gpt2Weights, type UploadOptions, uploadWeights } from "./weights.ts";
import { Workspace } from "./workspace.ts";

/** K and V as a forward pass sees them. */
export interface KvAccess {
  /** The kernels that touch K and V, compiled for the strategy. */
  readonly kernels: KvKernels;
  /** Returns how many entries the last row of a sequence of `length` goes through. */
  entries(length: number): number;
  /** Returns what holds a layer's K and V. */
  bindGroups(layer: number): KvGroups;
}

/** One operator of a forward pass: a module of the model, as `transformers` has them. */
export interface Operator {
  /** Its layer; left out where it is in none. */
  readonly layer?: number;
  /** Its name, in its layer where it has one. */
  readonly module: string;
  /** Where its result is until another operator overwrites it. */
  readonly result: OperatorResult;
  /** Records it for one batch, after those before it. */
  record(recorder: Recorder, batch: Batch, kv: KvAccess): void;
}

/** What an operator hands on: [rows, width4] vectors of four. */
export interface OperatorResult {
  /** The vectors. */
  readonly of: LedgerVectors;
  /** Vectors of a row. */
  readonly width4: number;
  /** Whether rows are the batch's outputs; they are all its rows otherwise. */
  readonly ofOutputs?: boolean;
}

/** The code of all kernels, for a hash that says which kernels a result came from. */
export const KERNELS_TEXT: string = joinedCode([
  ...Object.values(FILES),
  ...Object.values(WEIGHT_FORMATS),
  ...strategyFiles(),
  ...KV_FILES,
]);

/** Options of {@link Gpt2.load}. */
export interface LoadOptions extends Omit<UploadOptions, "packing" | "texels"> {
  /** The kernel variants: those for the adapter's kind, unless told otherwise. */
  readonly tuning?: Tuning;
  /** How weight matrices are stored: in float32, unless told otherwise. */
  readonly weightsDtype?: Dtype;
}

/** A loaded model. */
export class Gpt2 {
  /** The GPU that holds the weights. */
  readonly gpu: Gpu;
  /** The model's dimensions. */
  readonly config: Gpt2Config;
  /** The padded dimensions. */
  readonly dims: Dims;
  /** The kernel variants in use. */
  readonly tuning: Tuning;
  /** How weight matrices are stored. */
  readonly weightsDtype: Dtype;
  /** How long it took to upload the weights and to compile the kernels, in ms. */
  readonly loadMs: { readonly weights: number; readonly kernels: number };
  readonly #weights: Gpt2Weights;
  readonly #kernels: ModelKernels;
  readonly #operators = new WeakMap<Workspace, readonly Operator[]>();

  private constructor(
    gpu: Gpu,
    { config, tuning, weightsDtype }: KernelContext,
    weights: Gpt2Weights,
    kernels: ModelKernels,
    loadMs: Gpt2["loadMs"],
  ) {
    this.gpu = gpu;
    this.config = config;
    this.dims = dimsOf(config);
    this.tuning = tuning;
    this.weightsDtype = weightsDtype;
    this.#weights = weights;
    this.#kernels = kernels;
    this.loadMs = loadMs;
  }

  /**
   * Uploads a checkpoint and compiles the kernels for it.
   *
   * @throws {KvbenchError} If the checkpoint or the device does not allow it.
   */
  static async load(
    gpu: Gpu,
    checkpoint: TensorSource,
    { tuning = tuningFor(gpu.facts), weightsDtype = "f32", ...upload }: LoadOptions = {},
  ): Promise<Gpt2> {
    const { config } = checkpoint;
    const { tileGroup, texels } = tuning;
    const packing = { tileGroup, dtype: weightsDtype };
    const start = performance.now();
    const weights = await uploadWeights(gpu, checkpoint, { ...upload, packing, texels });
    const uploaded = performance.now();
    try {
      const layouts = createLayouts(gpu.device, tuning);
      const context = { device: gpu.device, layouts, config, tuning, weightsDtype };
      const kernels = await createModelKernels(context, weights);
      const loadMs = { weights: uploaded - start, kernels: performance.now() - uploaded };
      return new Gpt2(gpu, context, weights, kernels, loadMs);
    } catch (error) {
      weights.dispose();
      throw error;
    }
  }

  /** The layout of `@group(0)`, for {@link StepTables}. */
  get stepLayout(): ModelKernels["layouts"]["step"] {
    return this.#kernels.layouts.step;
  }

  /**
   * Compiles the kernels that touch K and V for a strategy.
   *
   * @throws {KvbenchError} If one does not compile.
   */
  kvKernels(source: KvSource): Promise<KvKernels> {
    const { gpu, config, tuning, weightsDtype } = this;
    const { layouts } = this.#kernels;
    return createKvKernels({ device: gpu.device, layouts, config, tuning, weightsDtype }, source);
  }

  /**
   * Every variant of the products of a decode step on these weights, to be timed.
   *
   * @internal Only profiles need it.
   * @throws {KvbenchError} If the device has no timestamps or a kernel does not compile.
   */
  productTrials(): Promise<ProductTrials> {
    const { gpu, config, tuning, weightsDtype } = this;
    const { layouts } = this.#kernels;
    return ProductTrials.create(
      gpu,
      { device: gpu.device, layouts, config, tuning, weightsDtype },
      this.#weights,
    );
  }

  /** Allocates activations for batches within `limits`. */
  workspace(limits: BatchLimits): Workspace {
    const { config, tuning } = this;
    return new Workspace(
      this.gpu,
      { config, weights: this.#weights, layouts: this.#kernels.layouts, tuning },
      limits,
    );
  }

  /**
   * Records the pass from token ids to logits [nOutputs, V4 * 4] for one batch. `@group(0)` must be bound to
   * the batch's tables.
   */
  forward(recorder: Recorder, workspace: Workspace, batch: Batch, kv: KvAccess): void {
    for (const operator of this.operators(workspace)) operator.record(recorder, batch, kv);
  }

  /** The operators of a forward pass in a workspace, in their order. */
  operators(workspace: Workspace): readonly Operator[] {
    const known = this.#operators.get(workspace) ?? this.#operatorsIn(workspace);
    this.#operators.set(workspace, known);
    return known;
  }

  /**
   * Records the choice of each output's next token: the likeliest one or, if `sampled`, as the workspace's
   * sampling buffer says for its sequence. Where logits are not finite, it is `NOT_FINITE` of `finite.ts`.
   */
  choose(recorder: Recorder, workspace: Workspace, batch: Batch, sampled: boolean): void {
    const { sample, argmax } = this.#kernels;
    if (sampled) recorder.dispatch(sample, [workspace.sample], batch.nOutputs);
    else recorder.dispatch(argmax, [workspace.argmax], batch.nOutputs);
  }

  /** Frees the weights. */
  dispose(): void {
    this.#weights.dispose();
  }

  #operatorsIn(workspace: Workspace): Operator[] {
    const { e4, a4, i4, v4 } = this.dims;
    const { results } = workspace;
    const kernels = this.#kernels;
    const x = { of: results.x, width4: e4 }, normed = { of: results.normed, width4: e4 };
    const qkv = { of: results.qkv, width4: 3 * a4 }, attended = { of: results.attended, width4: a4 };
    const inner = { of: results.inner, width4: i4 };
    const operators: Operator[] = [{
      module: "wte + wpe",
      result: x,
      record: (recorder, { nRows }) =>
        kernels.embedding.forEach((kernel, i) =>
          recorder.dispatch(kernel, [workspace.embedding[i]!], Math.ceil(nRows * e4 / 32))
        ),
    }];
    for (const [layer, groups] of workspace.layers.entries()) {
      operators.push(
        {
          layer,
          module: "ln_1",
          result: normed,
          record: (recorder, { nRows }) => recorder.dispatch(kernels.norm, [groups.ln1], nRows),
        },
        {
          layer,
          module: "attn.c_attn",
          result: qkv,
          record: (recorder, { nRows }) => kernels.qkv.record(recorder, groups.qkv, nRows),
        },
        {
          layer,
          module: "attn",
          result: attended,
          record: (recorder, batch, kv) =>
            this.#attention(recorder, workspace, batch, kv, kv.bindGroups(layer)),
        },
        {
          layer,
          module: "attn.c_proj",
          result: x,
          record: (recorder, { nRows }) => kernels.proj.record(recorder, groups.proj, nRows),
        },
        {
          layer,
          module: "ln_2",
          result: normed,
          record: (recorder, { nRows }) => recorder.dispatch(kernels.norm, [groups.ln2], nRows),
        },
        {
          layer,
          module: "mlp.c_fc",
          result: inner,
          record: (recorder, { nRows }) => kernels.fc.record(recorder, groups.fc, nRows),
        },
        {
          layer,
          module: "mlp.c_proj",
          result: x,
          record: (recorder, { nRows }) => kernels.out.record(recorder, groups.out, nRows),
        },
      );
    }
    operators.push({
      module: "ln_f",
      result: { of: results.final, width4: e4, ofOutputs: true },
      record: (recorder, { nOutputs }) => {
        if (nOutputs > 0) recorder.dispatch(kernels.finalNorm, [workspace.lnF], nOutputs);
      },
    }, {
      module: this.config.tieWordEmbeddings ? "the head, wte" : "lm_head",
      result: { of: results.logits, width4: v4, ofOutputs: true },
      record: (recorder, { nOutputs }) => {
        if (nOutputs === 0) return;
        kernels.head.forEach((kernel, i) => kernel.record(recorder, workspace.head[i]!, nOutputs));
      },
    });
    return operators;
  }

  #attention(
    recorder: Recorder,
    workspace: Workspace,
    batch: Batch,
    kv: KvAccess,
    { read, write }: KvGroups,
  ): void {
    const { nHead } = this.config;
    const { a4 } = this.dims;
    recorder.dispatch(kv.kernels.write, [workspace.kvWrite, write], Math.ceil(batch.nRows * 2 * nHead / 32));
    if (batch.nPrefillTiles > 0) {
      recorder.dispatch(kv.kernels.prefill, [workspace.attentionPrefill, read], batch.nPrefillTiles, nHead);
    }
    if (batch.nDecodeTiles > 0) {
      const splits = splitsOf(batch.decodeContext, this.tuning);
      recorder.dispatch(
        kv.kernels.decode,
        [workspace.attentionDecode, read],
        splits,
        nHead,
        batch.nDecodeTiles,
      );
      const { combine } = this.#kernels, { attentionCombine } = workspace;
      if (!combine || !attentionCombine) return;
      recorder.dispatch(combine, [attentionCombine], Math.ceil(batch.nDecodeTiles * a4 / 32));
    }
  }
}
