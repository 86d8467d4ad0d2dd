/**
 * The activations of a forward pass, sized for the largest batch, and the bind groups that join them with the
 * weights. Made once; nothing is allocated or bound per step.
 */
import { ARGMAX_JOIN_USES, ARGMAX_PARTS_USES, ARGMAX_USES } from "../../wgsl/ops/argmax/stages.ts";
import { ATTENTION_USES, COMBINE_USES, SPLIT_USES } from "../../wgsl/ops/attention/plans.ts";
import { EMBEDDING_USES } from "../../wgsl/ops/embedding/operator.ts";
import { KV_WRITE_USES } from "../../wgsl/ops/kv_write/operator.ts";
import { NORM_USES } from "../../wgsl/ops/layer_norm/operator.ts";
import {
  BEST_USES,
  type HeadParts,
  headPartsOf,
  type LinearOptions,
  linearUses,
  NORMED_USES,
  paddedRows,
  PRODUCTS,
} from "../../wgsl/ops/linear/forms.ts";
import { ROTATE_USES } from "../../wgsl/ops/rotate/operator.ts";
import { SAMPLE_USES } from "../../wgsl/ops/sample/operator.ts";
import type { Dtype } from "../formats/registry.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { LedgerBuffer, LedgerEntry, LedgerVectors } from "../gpu/ledger.ts";
import { unevenBytes } from "../gpu/texels.ts";
import type { BatchLimits } from "./batch.ts";
import type { Gpt2Config } from "../checkpoint/config.ts";
import { dimsOf } from "./dims.ts";
import type { Layouts } from "./plan.ts";
import { splitsOf, type Tuning } from "./tuning.ts";
import type { Gpt2Weights, LinearWeights, NormWeights } from "./weights.ts";

/** The bind groups of one transformer layer. */
interface LayerGroups {
  /** Norm before attention. */
  readonly ln1: GPUBindGroup;
  /** To queries, keys and values. */
  readonly qkv: GPUBindGroup;
  /** The same with the norm before it, where products make that. */
  readonly qkvNormed: GPUBindGroup | undefined;
  /** From attention back to the model width. */
  readonly proj: GPUBindGroup;
  /** From the splits of a decode attention, where a product can read them. */
  readonly joinedProj: GPUBindGroup | undefined;
  /** Norm before the feed-forward. */
  readonly ln2: GPUBindGroup;
  /** Feed-forward, with GELU. */
  readonly fc: GPUBindGroup;
  /** The same with the norm before it, where products make that. */
  readonly fcNormed: GPUBindGroup | undefined;
  /** Feed-forward, back to the model width. */
  readonly out: GPUBindGroup;
}

/** The activations between operators, each in vectors of four. */
interface Results {
  /** The residual stream: [rows, E4]. */
  readonly x: LedgerVectors;
  /** Of a layer norm: [rows, E4]. */
  readonly normed: LedgerVectors;
  /** Queries, keys and values: [rows, 3, A4]. */
  readonly qkv: LedgerVectors;
  /** Of attention: [rows, A4]. */
  readonly attended: LedgerVectors;
  /** Inside the MLP: [rows, I4]. */
  readonly inner: LedgerVectors;
  /** Of the final norm: [outputs, E4]. */
  readonly final: LedgerVectors;
  /** [outputs, V4] */
  readonly logits: LedgerBuffer;
}

interface ModelParts {
  /** The model's dimensions. */
  readonly config: Gpt2Config;
  /** The tensors on the GPU. */
  readonly weights: Gpt2Weights;
  /** The bind group layouts. */
  readonly layouts: Layouts;
  /** The kernel variants. */
  readonly tuning: Tuning;
  /** Storage type of weight matrices. */
  readonly weightsDtype: Dtype;
}

/**
 * Activations and bind groups. Rows are rounded up to whole groups of eight, as GEMMs compute them, but where
 * there are so few that only a GEMV sees them.
 */
export class Workspace {
  /** Every sequence's ids: [nSequences, nCtx] u32. */
  readonly tokens: LedgerBuffer;
  /** The sampling of each sequence: [nSequences], see sample.wgsl. */
  readonly sampling: LedgerBuffer;
  /** The activations between operators. */
  readonly results: Results;
  /** Token and position embedding, by shard. */
  readonly embedding: readonly GPUBindGroup[];
  /** By layer. */
  readonly layers: readonly LayerGroups[];
  /** Of `rotate.wgsl`, where K or V is stored rotated: of queries, keys and values. */
  readonly rotate: GPUBindGroup | undefined;
  /** Of `rotate.wgsl`, where V is stored rotated: of attention's output. */
  readonly rotateBack: GPUBindGroup | undefined;
  /** Queries, keys and values as they are compared and stored, rotated or not: [rows, 3, A4]. */
  readonly attentionInput: LedgerVectors;
  /** Of `kv_write.wgsl`. */
  readonly kvWrite: GPUBindGroup;
  /** Of `attention_decode.wgsl`. */
  readonly attentionDecode: GPUBindGroup;
  /** Of `attention_combine.wgsl`, where contexts are split. */
  readonly attentionCombine: GPUBindGroup | undefined;
  /** Of `attention_prefill.wgsl`. */
  readonly attentionPrefill: GPUBindGroup;
  /** The final norm. */
  readonly lnF: GPUBindGroup;
  /** To logits, by shard. */
  readonly head: readonly GPUBindGroup[];
  /** The same, which find the likeliest tokens in passing, where they do that. */
  readonly headBest: readonly GPUBindGroup[] | undefined;
  /** Of `argmax_join.wgsl`, where the head's products find those. */
  readonly headJoin: GPUBindGroup | undefined;
  /** The likeliest token, or those of parts of the vocabulary. */
  readonly argmax: GPUBindGroup;
  /** Of `argmax_join.wgsl`, where there are several parts. */
  readonly argmaxJoin: GPUBindGroup | undefined;
  /** A sampled token. */
  readonly sample: GPUBindGroup;
  readonly #entries: LedgerEntry[] = [];

  /**
   * Allocates for batches within `limits`; a sequence is a span.
   *
   * @param rotates Whether K, and V, is stored rotated.
   */
  constructor(gpu: Gpu, model: ModelParts, limits: BatchLimits, rotates: readonly [boolean, boolean]) {
    const { config, weights, layouts, tuning, weightsDtype } = model;
    const { e4, a4, i4, v4, headDim4 } = dimsOf(config);
    const padded = (rows: number) => paddedRows(rows, tuning, weightsDtype);
    const rows = padded(limits.maxRows), outputs = padded(limits.maxOutputs);
    const vectors = (label: string, count: number) => this.#create(gpu, label, "activations", count * 16);
    /** An activation input of products and attention. */
    const operand = (label: string, count: number) => {
      const bytes = tuning.texels ? unevenBytes(count * 16) : count * 16;
      return this.#keep(gpu.ledger.createVectors({ label, category: "activations", bytes }, tuning));
    };

    const x = vectors("x", rows * e4);
    const normed = operand("normed", rows * e4);
    const qkv = operand("qkv", rows * 3 * a4);
    const attended = operand("attended", rows * a4);
    const inner = operand("inner", rows * i4);
    const final = operand("final", outputs * e4);
    const logits = vectors("logits", outputs * v4);
    const splits = limits.maxSpans * config.nHead * splitsOf(config.nCtx, tuning); // of [D4 + 1] vectors each
    const partial = tuning.splitTokens > 0
      ? vectors("attention partial", splits * (headDim4 + 1))
      : undefined;
    this.results = { x, normed, qkv, attended, inner, final, logits };
    this.tokens = this.#create(gpu, "tokens", "tables", limits.maxSpans * config.nCtx * 4);
    this.sampling = this.#create(gpu, "sampling", "tables", limits.maxSpans * 16);

    const norm = (from: LedgerBuffer, { gamma, beta }: NormWeights, y: LedgerVectors) =>
      layouts.of(NORM_USES).bind({ x: from, gamma, beta, y });
    const linear = (
      options: LinearOptions,
      x: LedgerVectors,
      { weight: { tiles, scale }, bias }: LinearWeights,
      y: LedgerVectors,
    ) => layouts.of(linearUses(options)).bind({ x, weight: tiles, bias, y, scale });
    const normedLinear = ({ gamma, beta }: NormWeights, linear: LinearWeights, y: LedgerVectors) => {
      const { weight: { tiles, scale }, bias } = linear;
      return tuning.normedRows === 0
        ? undefined
        : layouts.of(NORMED_USES).bind({ x, weight: tiles, bias, y, scale, gamma, beta });
    };
    this.embedding = weights.wte.map((shard) =>
      layouts.of(EMBEDDING_USES).bind({
        tokens: this.tokens,
        weight: shard.tiles,
        wpe: weights.wpe,
        x,
        scale: shard.scale,
      })
    );
    this.layers = weights.layers.map((layer) => ({
      ln1: norm(x, layer.ln1, normed),
      qkv: linear(PRODUCTS.qkv, normed, layer.qkv, qkv),
      qkvNormed: normedLinear(layer.ln1, layer.qkv, qkv),
      proj: linear(PRODUCTS.proj, attended, layer.proj, x),
      joinedProj: partial && !tuning.texels ? linear(PRODUCTS.proj, partial, layer.proj, x) : undefined,
      ln2: norm(x, layer.ln2, normed),
      fc: linear(PRODUCTS.fc, normed, layer.fc, inner),
      fcNormed: normedLinear(layer.ln2, layer.fc, inner),
      out: linear(PRODUCTS.out, inner, layer.out, x),
    }));
    const rotated = rotates.includes(true) ? operand("rotated", rows * 3 * a4) : undefined;
    const turn = layouts.of(ROTATE_USES);
    this.rotate = rotated && turn.bind({ x: qkv, y: rotated });
    // Nobody needs queries, keys and values as they were once they are rotated, so that rotated output takes their place.
    this.rotateBack = rotates[1] ? turn.bind({ x: qkv, y: attended }) : undefined;
    this.attentionInput = rotated ?? qkv;
    const attention = { x: this.attentionInput, y: rotates[1] ? qkv : attended };
    this.kvWrite = layouts.of(KV_WRITE_USES).bind({ x: attention.x });
    if (partial === undefined) {
      this.attentionDecode = layouts.of(ATTENTION_USES).bind(attention);
    } else {
      this.attentionDecode = layouts.of(SPLIT_USES).bind({ x: attention.x, partial });
      this.attentionCombine = layouts.of(COMBINE_USES).bind({ partial, y: attention.y });
    }
    this.attentionPrefill = layouts.of(ATTENTION_USES).bind(attention);
    this.lnF = norm(x, weights.lnF, final);
    this.head = weights.head.map((shard) => linear({}, final, { weight: shard, bias: weights.none }, logits));
    const choice = { logits, tokens: this.tokens };
    if (tuning.chosenRows > 0) {
      const [{ parts }] = headPartsOf(tuning, weights.head) as [HeadParts];
      const partial = this.#create(gpu, "head partial", "activations", tuning.chosenRows * parts * 8);
      const { none: bias } = weights;
      this.headBest = weights.head.map(({ tiles: weight, scale }) =>
        layouts.of(BEST_USES).bind({ x: final, y: logits, weight, bias, scale, partial })
      );
      this.headJoin = layouts.of(ARGMAX_JOIN_USES).bind({ partial, tokens: this.tokens });
    }
    if (tuning.argmaxParts === 1) {
      this.argmax = layouts.of(ARGMAX_USES).bind(choice);
    } else {
      const partial = this.#create(gpu, "argmax partial", "activations", outputs * tuning.argmaxParts * 8);
      this.argmax = layouts.of(ARGMAX_PARTS_USES).bind({ logits, partial });
      this.argmaxJoin = layouts.of(ARGMAX_JOIN_USES).bind({ partial, tokens: this.tokens });
    }
    this.sample = layouts.of(SAMPLE_USES).bind({ ...choice, sampling: this.sampling });
  }

  /** Frees the activations. */
  dispose(): void {
    for (const entry of this.#entries) entry.destroy();
  }

  #create(gpu: Gpu, label: string, category: "activations" | "tables", bytes: number): LedgerBuffer {
    return this.#keep(gpu.ledger.createBuffer({ label, category, bytes }));
  }

  #keep<T extends LedgerEntry>(entry: T): T {
    this.#entries.push(entry);
    return entry;
  }
}
