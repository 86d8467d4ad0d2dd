/**
 * Brings a checkpoint's tensors to the GPU: they are read, packed and uploaded one at a time. The token embedding and the
 * head are split into shards where the device can't bind them whole; a tied head is the embedding itself.
 */
import { KvbenchError } from "../base/errors.ts";
import type { Packed } from "../formats/format.ts";
import type { MatrixSource } from "../formats/tiles.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { LedgerBuffer, LedgerEntry } from "../gpu/ledger.ts";
import { ROW_BYTES } from "../gpu/texels.ts";
import { Writer } from "../gpu/writer.ts";
import type { TensorSource } from "../checkpoint/checkpoint.ts";
import { EMBEDDING, HEAD } from "../checkpoint/tensors.ts";
import type { Gpt2Config } from "../checkpoint/config.ts";
import type { RowRange } from "../checkpoint/safetensors.ts";
import { type Dims, dimsOf } from "./dims.ts";
import {
  leastTiles,
  packedBytes,
  type PackOptions,
  packTiles,
  paddedEnd,
  paddedHeads,
  pick,
  scaleBytes,
} from "./pack.ts";
import type {
  Gpt2Weights,
  LayerWeights,
  LinearWeights,
  MatrixShape,
  NormWeights,
  PackedMatrix,
} from "./weights.ts";

/** Bytes that are packed at once. */
const BAND_BYTES = 16 << 20;

/** Called after each tensor, or part of one, with the elements uploaded so far. */
type UploadProgress = (elements: number) => void;

interface UploadOptions {
  /** The packing of matrices. */
  readonly packing: PackOptions;
  /** True if they lie in textures rather than in buffers. */
  readonly texels: boolean;
  /** Called after each tensor. */
  readonly onProgress?: UploadProgress;
  /** The most bytes that a tensor, or a shard of the token embedding or head, may take: what the device binds at most. */
  readonly maxBindingBytes?: number;
}

/** The most bytes of a tensor, or of a shard of the token embedding, that a device binds. */
function bindableBytes({ limits }: Pick<GPUDevice, "limits">): number {
  const { maxStorageBufferBindingSize, maxBufferSize, maxTextureDimension2D } = limits;
  return Math.min(maxStorageBufferBindingSize, maxBufferSize, maxTextureDimension2D * ROW_BYTES);
}

/** The shards of the token embedding: whole groups of output tiles, as many as can be bound. */
export function wteShards(
  device: Pick<GPUDevice, "limits">,
  config: Gpt2Config,
  { packing, maxBindingBytes = bindableBytes(device) }: Pick<
    UploadOptions,
    "packing" | "maxBindingBytes"
  >,
): MatrixShape[] {
  const { v4, e4: k4 } = dimsOf(config);
  const least = leastTiles(packing), leastBytes = packedBytes(k4, least, packing);
  const perShard = Math.max(1, Math.floor(maxBindingBytes / leastBytes)) * least;
  return Array.from({ length: Math.ceil(v4 / perShard) }, (_, i) => {
    const firstN4 = i * perShard;
    return { k4, n4: Math.min(perShard, v4 - firstN4), firstN4 };
  });
}

/**
 * Uploads a checkpoint.
 *
 * @throws {KvbenchError} If a tensor can't be read, is larger than a buffer may be, or is not finite.
 */
export async function uploadWeights(
  gpu: Gpu,
  checkpoint: TensorSource,
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
  readonly #checkpoint: TensorSource;
  readonly #config: Gpt2Config;
  readonly #dims: Dims;
  readonly #packing: PackOptions;
  readonly #texels: boolean;
  readonly #onProgress: UploadProgress;
  readonly #maxBindingBytes: number;
  readonly #entries: LedgerEntry[] = [];
  readonly #none: LedgerBuffer;
  readonly #writer: Writer;
  #elements = 0;

  constructor(gpu: Gpu, checkpoint: TensorSource, options: UploadOptions) {
    this.#gpu = gpu;
    this.#checkpoint = checkpoint;
    this.#config = checkpoint.config;
    this.#dims = dimsOf(checkpoint.config);
    this.#packing = options.packing;
    this.#texels = options.texels;
    this.#onProgress = options.onProgress ?? (() => {});
    this.#maxBindingBytes = options.maxBindingBytes ?? bindableBytes(gpu.device);
    this.#none = this.#allocate("none", 16); // WebGPU begins with zeros
    this.#writer = new Writer(gpu);
  }

  async upload(): Promise<Gpt2Weights> {
    const { nEmbd, nHead, headDim, nInner, nLayer, nCtx, tieWordEmbeddings } = this.#config;
    const { e4, headDim4, i4 } = this.#dims;
    const width = paddedEnd(nEmbd, e4);
    const heads = paddedHeads(1, nHead, headDim, headDim4);
    const threeHeads = paddedHeads(3, nHead, headDim, headDim4);
    const inner = paddedEnd(nInner, i4);

    const wte = await this.#shards(EMBEDDING, width);
    const wpeValues = await this.#read("wpe.weight");
    const wpe = new Float32Array(nCtx * e4 * 4);
    for (let p = 0; p < nCtx; p++) wpe.set(pick(wpeValues, width, p * nEmbd), p * e4 * 4);
    const wpeBuffer = await this.#store("wpe.weight", wpe);

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
    const head = tieWordEmbeddings ? wte : await this.#shards(HEAD, width);
    return { wte, head, wpe: wpeBuffer, layers, lnF, none: this.#none, dispose: () => this.dispose() };
  }

  dispose(): void {
    for (const entry of this.#entries) entry.destroy();
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
    const k4 = k.length / 4, n4 = n.length / 4;
    const matrix = this.#create(`${name}.weight`, { k4, n4, firstN4: 0 });
    const perBand = this.#bandN4(k4);
    for (let band = 0; band < n4; band += perBand) {
      const part = n.subarray(4 * band, 4 * (band + perBand));
      await this.#write(`${name}.weight`, matrix, band, { values, strideK: nOut, strideN: 1, k, n: part });
    }
    free(values);
    return { weight: matrix, bias: await this.#vector(`${name}.bias`, n) };
  }

  /**
   * HF stores the token embedding, and the head, as [vocabulary, width], which as a head is [out, in]: whole groups of
   * output tiles are consecutive there and here, so they are read and packed in bands and never held whole.
   */
  async #shards(name: string, k: Int32Array): Promise<PackedMatrix[]> {
    const { vocabSize, nEmbd } = this.#config;
    const perBand = this.#bandN4(this.#dims.e4);
    const shards: PackedMatrix[] = [];
    const shapes = wteShards(this.#gpu.device, this.#config, {
      packing: this.#packing,
      maxBindingBytes: this.#maxBindingBytes,
    });
    for (const shape of shapes) {
      const { n4, firstN4 } = shape;
      const shard = this.#create(name, shape);
      shards.push(shard);
      for (let band = 0; band < n4; band += perBand) {
        const bandN4 = Math.min(perBand, n4 - band);
        const first = 4 * (firstN4 + band), count = Math.min(4 * bandN4, vocabSize - first);
        const values = await this.#read(name, { first, count });
        const n = paddedEnd(count, bandN4);
        await this.#write(name, shard, band, { values, strideK: 1, strideN: nEmbd, k, n });
        free(values);
      }
    }
    return shards;
  }

  /** Output tiles that are packed at once: several times as many as can be packed apart, two of which may share a vector. */
  #bandN4(k4: number): number {
    const least = 2 * leastTiles(this.#packing);
    return Math.max(1, Math.floor(BAND_BYTES / (k4 * 64 * least))) * least;
  }

  /** Allocates a packed matrix. */
  #create(name: string, { k4, n4, firstN4 }: MatrixShape): PackedMatrix {
    const bytes = packedBytes(k4, n4, this.#packing);
    this.#checkBytes(name, bytes);
    const tiles = this.#keep(
      this.#gpu.ledger.createVectors({ label: name, category: "weights", bytes }, { texels: this.#texels }),
    );
    const scales = scaleBytes(k4, n4, this.#packing);
    const scale = scales > 0 ? this.#allocate(`${name} scale`, scales) : this.#none;
    return { tiles, scale, k4, n4, firstN4 };
  }

  /** Packs `source` as the output tiles of `matrix` from `firstN4` on, which starts a group. */
  async #write(name: string, matrix: PackedMatrix, firstN4: number, source: MatrixSource): Promise<void> {
    let packed: Packed;
    try {
      packed = packTiles(source, this.#packing);
    } catch (error) {
      throw new KvbenchError(
        `Tensor ${name} can't be stored: ${error instanceof Error ? error.message : error}`,
      );
    }
    const { tiles, scale } = packed;
    await this.#writer.write(matrix.tiles, packedBytes(matrix.k4, firstN4, this.#packing), tiles);
    if (scale) await this.#writer.write(matrix.scale, scaleBytes(matrix.k4, firstN4, this.#packing), scale);
    free(tiles);
  }

  async #vector(name: string, map: Int32Array): Promise<LedgerBuffer> {
    return this.#store(name, pick(await this.#read(name), map));
  }

  async #read(name: string, rows?: RowRange): Promise<Float32Array<ArrayBuffer>> {
    const values = await this.#checkpoint.read(name, rows);
    this.#elements += values.length;
    this.#onProgress(this.#elements);
    return values;
  }

  async #store(name: string, values: Float32Array<ArrayBuffer>): Promise<LedgerBuffer> {
    const buffer = this.#allocate(name, values.byteLength);
    await this.#writer.write(buffer, 0, values);
    return buffer;
  }

  #allocate(name: string, bytes: number): LedgerBuffer {
    this.#checkBytes(name, bytes);
    return this.#keep(this.#gpu.ledger.createBuffer({ label: name, category: "weights", bytes }));
  }

  #keep<T extends LedgerEntry>(entry: T): T {
    this.#entries.push(entry);
    return entry;
  }

  #checkBytes(name: string, bytes: number): void {
    if (bytes <= this.#maxBindingBytes) return;
    throw new KvbenchError(
      `Tensor ${name} takes ${bytes} bytes: this device binds at most ${this.#maxBindingBytes}`,
    );
  }
}

/** Gives an array's memory back now: the garbage collector would let hundreds of MiB pile up. */
function free({ buffer }: { readonly buffer: ArrayBuffer }): void {
  buffer.transfer(0);
}
