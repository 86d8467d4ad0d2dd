/**
 * A checkpoint's tensors on the GPU, in float32 and packed for the kernels. Tensors are read, packed and
 * uploaded one at a time. The token embedding doubles as the head and is split into shards where the device
 * can't bind it whole.
 *
 * @module
 */
import { KvbenchError } from "../errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { LedgerBuffer } from "../gpu/ledger.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { Gpt2Config } from "./config.ts";
import { type Dims, dimsOf } from "./dims.ts";
import { type MatrixSource, packTiles, paddedEnd, paddedHeads, pick } from "./pack.ts";
import type { Tuning } from "./tuning.ts";

/** A packed matrix [K4, N4] on the GPU, or a shard of its outputs. */
export interface PackedMatrix {
  /** The packed tiles. */
  readonly buffer: LedgerBuffer;
  /** Input width in tiles. */
  readonly k4: number;
  /** Output width in tiles. */
  readonly n4: number;
  /** The first output tile, where this is a shard. */
  readonly firstN4: number;
}

/** A linear layer: y = x W + b. */
export interface LinearWeights {
  /** W, packed. */
  readonly weight: PackedMatrix;
  /** b: [N4]. */
  readonly bias: LedgerBuffer;
}

/** A layer norm's two vectors, [E4] each. */
export interface NormWeights {
  /** Scale. */
  readonly gamma: LedgerBuffer;
  /** Shift. */
  readonly beta: LedgerBuffer;
}

/** One transformer layer. */
export interface LayerWeights {
  /** Norm before attention. */
  readonly ln1: NormWeights;
  /** To queries, keys and values: [E4, 3 A4]. */
  readonly qkv: LinearWeights;
  /** From attention back to the model width: [A4, E4]. */
  readonly proj: LinearWeights;
  /** Norm before the feed-forward. */
  readonly ln2: NormWeights;
  /** Feed-forward, with GELU: [E4, I4]. */
  readonly fc: LinearWeights;
  /** Feed-forward, back to the model width: [I4, E4]. */
  readonly out: LinearWeights;
}

/** All tensors of a model on the GPU. */
export interface Gpt2Weights {
  /** Shards of the token embedding, each a packed [E4, part of V4]; also the head. */
  readonly wte: readonly PackedMatrix[];
  /** Position embedding: [nCtx, E4]. */
  readonly wpe: LedgerBuffer;
  /** By layer. */
  readonly layers: readonly LayerWeights[];
  /** The final norm. */
  readonly lnF: NormWeights;
  /** Bound where a kernel declares a bias and the model has none. */
  readonly none: LedgerBuffer;
  /** Frees all tensors. */
  dispose(): void;
}

/** Called after each tensor with the elements uploaded so far. */
export type UploadProgress = (elements: number) => void;

/** Options of {@link uploadWeights}. */
export interface UploadOptions {
  /** The kernel variants. */
  readonly tuning: Tuning;
  /** Called after each tensor. */
  readonly onProgress?: UploadProgress;
  /** The most bytes that a tensor, or a shard of the token embedding, may take: what the device binds at most. */
  readonly maxBindingBytes?: number;
}

/**
 * Uploads a checkpoint.
 *
 * @throws {KvbenchError} If a tensor can't be read, is larger than a buffer may be, or is not finite.
 */
export async function uploadWeights(
  gpu: Gpu,
  checkpoint: Checkpoint,
  options: UploadOptions,
): Promise<Gpt2Weights> {
  const uploader = new Uploader(gpu, checkpoint, options);
  try {
    return await uploader.upload();
  } catch (error) {
    uploader.dispose();
    throw error;
  }
}

class Uploader {
  readonly #gpu: Gpu;
  readonly #checkpoint: Checkpoint;
  readonly #config: Gpt2Config;
  readonly #dims: Dims;
  readonly #tileGroup: number;
  readonly #onProgress: UploadProgress;
  readonly #maxBindingBytes: number;
  readonly #buffers: LedgerBuffer[] = [];
  #elements = 0;

  constructor(gpu: Gpu, checkpoint: Checkpoint, options: UploadOptions) {
    const { maxStorageBufferBindingSize, maxBufferSize } = gpu.device.limits;
    this.#gpu = gpu;
    this.#checkpoint = checkpoint;
    this.#config = checkpoint.config;
    this.#dims = dimsOf(checkpoint.config);
    this.#tileGroup = options.tuning.tileGroup;
    this.#onProgress = options.onProgress ?? (() => {});
    this.#maxBindingBytes = options.maxBindingBytes ?? Math.min(maxStorageBufferBindingSize, maxBufferSize);
  }

  async upload(): Promise<Gpt2Weights> {
    const { nEmbd, nHead, headDim, nInner, nLayer, nCtx } = this.#config;
    const { e4, headDim4, i4 } = this.#dims;
    const width = paddedEnd(nEmbd, e4);
    const heads = paddedHeads(1, nHead, headDim, headDim4);
    const threeHeads = paddedHeads(3, nHead, headDim, headDim4);
    const inner = paddedEnd(nInner, i4);

    const wte = await this.#shards("wte.weight", width);
    const wpeValues = await this.#read("wpe.weight");
    const wpe = new Float32Array(nCtx * e4 * 4);
    for (let p = 0; p < nCtx; p++) wpe.set(pick(wpeValues, width, p * nEmbd), p * e4 * 4);
    const wpeBuffer = this.#store("wpe.weight", wpe);

    const layers: LayerWeights[] = [];
    for (let i = 0; i < nLayer; i++) {
      layers.push({
        ln1: await this.#norm(`h.${i}.ln_1`, width),
        qkv: await this.#linear(`h.${i}.attn.c_attn`, width, threeHeads),
        proj: await this.#linear(`h.${i}.attn.c_proj`, heads, width),
        ln2: await this.#norm(`h.${i}.ln_2`, width),
        fc: await this.#linear(`h.${i}.mlp.c_fc`, width, inner),
        out: await this.#linear(`h.${i}.mlp.c_proj`, inner, width),
      });
    }
    const lnF = await this.#norm("ln_f", width);
    const none = this.#store("no bias", new Float32Array(4));
    return { wte, wpe: wpeBuffer, layers, lnF, none, dispose: () => this.dispose() };
  }

  dispose(): void {
    for (const buffer of this.#buffers) buffer.destroy();
  }

  async #norm(name: string, width: Int32Array): Promise<NormWeights> {
    return {
      gamma: await this.#vector(`${name}.weight`, width),
      beta: await this.#vector(`${name}.bias`, width),
    };
  }

  /** HF stores GPT-2's linear weights as [in, out]. */
  async #linear(name: string, k: Int32Array, n: Int32Array): Promise<LinearWeights> {
    const values = await this.#read(`${name}.weight`);
    const nOut = n.reduce((count, from) => count + (from < 0 ? 0 : 1), 0);
    const weight = this.#pack(`${name}.weight`, { values, strideK: nOut, strideN: 1, k, n }, 0, n.length / 4);
    return { weight, bias: await this.#vector(`${name}.bias`, n) };
  }

  /** HF stores the token embedding as [vocabulary, width], which as a head is [out, in]. */
  async #shards(name: string, k: Int32Array): Promise<PackedMatrix[]> {
    const { vocabSize, nEmbd } = this.#config;
    const { v4, e4 } = this.#dims;
    const values = await this.#read(name);
    const source = { values, strideK: 1, strideN: nEmbd, k, n: paddedEnd(vocabSize, v4) };
    const group = this.#tileGroup;
    const perShard = Math.max(1, Math.floor(this.#maxBindingBytes / (e4 * 64 * group))) * group;
    const shards: PackedMatrix[] = [];
    for (let first = 0; first < v4; first += perShard) {
      shards.push(this.#pack(name, source, first, Math.min(perShard, v4 - first)));
    }
    return shards;
  }

  #pack(name: string, source: MatrixSource, firstN4: number, n4: number): PackedMatrix {
    const k4 = source.k.length / 4;
    const buffer = this.#store(name, packTiles(source, this.#tileGroup, { firstN4, n4 }));
    return { buffer, k4, n4, firstN4 };
  }

  async #vector(name: string, map: Int32Array): Promise<LedgerBuffer> {
    return this.#store(name, pick(await this.#read(name), map));
  }

  async #read(name: string): Promise<Float32Array> {
    const values = await this.#checkpoint.read(name);
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      throw new KvbenchError(`Tensor ${name} holds ${values[bad]} at element ${bad}: wanted finite weights`);
    }
    this.#elements += values.length;
    this.#onProgress(this.#elements);
    return values;
  }

  #store(name: string, values: Float32Array<ArrayBuffer>): LedgerBuffer {
    if (values.byteLength > this.#maxBindingBytes) {
      throw new KvbenchError(
        `Tensor ${name} takes ${values.byteLength} bytes: this device binds at most ${this.#maxBindingBytes}`,
      );
    }
    const buffer = this.#gpu.ledger.createBuffer({
      label: name,
      category: "weights",
      bytes: values.byteLength,
    });
    this.#buffers.push(buffer);
    this.#gpu.device.queue.writeBuffer(buffer.buffer, 0, values);
    return buffer;
  }
}
