/**
 * The GPU memory that a model needs, computed before any of it is loaded: weights, K/V of a full context, activations.
 */
import { type KvDtype, rotatesAny } from "../formats/kv_dtype.ts";
import { DEFAULT_DTYPE, type Dtype } from "../formats/registry.ts";
import { ROW_BYTES, texelRows } from "../gpu/texels.ts";
import { kvRowBytes } from "../kv/shape.ts";
import { type Gpt2Config, parameterCount } from "../checkpoint/config.ts";
import { dimsOf } from "./dims.ts";
import { packedBytes, scaleBytes } from "./pack.ts";

/** Rows of the prefill that activations are counted for. */
const ROWS = 128;

/** Bytes that a model needs, for one sequence. */
export interface MemoryNeed {
  readonly parameters: number;
  readonly weightsBytes: number;
  readonly kvBytesPerToken: number;
  /** Of a prefill of 128 rows. */
  readonly activationsBytes: number;
  /** Weights, K/V of a full context, and activations. */
  readonly totalBytes: number;
  /** The largest tensor that can't be split. */
  readonly largestBuffer: string;
  readonly largestBufferBytes: number;
}

/** Options of the need beside the configuration. */
export interface StorageOptions {
  /** Output tiles that lie together in packed weights. */
  readonly tileGroup: number;
  /** True if the vectors of eight tiles lie together in them. Default: false. */
  readonly byVector?: boolean;
  /** True if weights are textures, which have whole rows. Default: false. */
  readonly texels?: boolean;
  /** Storage type of weight matrices. Default: float32. */
  readonly weightsDtype?: Dtype;
  /** Storage type of K and V. Default: float32. */
  readonly kvDtype?: KvDtype;
}

/** Computes the need from the configuration, the packing and the storage types. */
export function memoryNeed(
  config: Gpt2Config,
  { tileGroup, byVector = false, texels = false, weightsDtype = DEFAULT_DTYPE, kvDtype = DEFAULT_DTYPE }:
    StorageOptions,
): MemoryNeed {
  const { e4, a4, i4, v4 } = dimsOf(config);
  const { nLayer, nHead, nCtx, tieWordEmbeddings } = config;
  const packing = { tileGroup, byVector, dtype: weightsDtype };
  const matrix = (k4: number, n4: number) => {
    const bytes = packedBytes(k4, n4, packing);
    return (texels ? texelRows(bytes) * ROW_BYTES : bytes) + scaleBytes(k4, n4, packing);
  };
  const matrices = matrix(e4, 3 * a4) + matrix(a4, e4) + matrix(e4, i4) + matrix(i4, e4);
  const vectors = 16 * (3 * a4 + i4 + 6 * e4); // biases and norms
  const embeddings = (tieWordEmbeddings ? 1 : 2) * matrix(e4, v4);
  const weightsBytes = embeddings + 16 * nCtx * e4 + nLayer * (matrices + vectors) + 32 * e4;
  const activationsBytes = 16 * (ROWS * (2 * e4 + (rotatesAny(kvDtype) ? 7 : 4) * a4 + i4) + v4 + e4);
  const perLayer = kvRowBytes({ a4, nHead, dtype: kvDtype }), perToken = perLayer * nLayer;
  const candidates: [string, number][] = [
    ["a layer's feed-forward matrix", Math.max(matrix(e4, i4), matrix(i4, e4))],
    ["a layer's attention matrix", matrix(e4, 3 * a4)],
    ["the position embedding", 16 * nCtx * e4],
    ["a layer's K/V of a full context", perLayer * nCtx],
  ];
  const [largestBuffer, largestBufferBytes] = candidates.reduce((a, b) => b[1] > a[1] ? b : a);
  return {
    parameters: parameterCount(config),
    weightsBytes,
    kvBytesPerToken: perToken,
    activationsBytes,
    totalBytes: weightsBytes + activationsBytes + perToken * nCtx,
    largestBuffer,
    largestBufferBytes,
  };
}
