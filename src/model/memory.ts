/**
 * How much GPU memory a model needs before any of it is loaded: weights, K/V of a full context, activations.
 *
 * @module
 */
import { type Gpt2Config, parameterCount } from "./config.ts";
import { dimsOf, kvBytesPerToken } from "./dims.ts";

/** Rows of the prefill that activations are counted for. */
const ROWS = 128;

/** Bytes that a model needs in float32, for one sequence. */
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

/** Computes the need from the configuration alone. */
export function memoryNeed(config: Gpt2Config): MemoryNeed {
  const { e4, a4, i4, v4 } = dimsOf(config);
  const { nLayer, nCtx } = config;
  const layer = 4 * e4 * 3 * a4 * 4 + 4 * a4 * e4 * 4 + 2 * 4 * e4 * i4 * 4 + 3 * a4 * 4 + i4 * 4 +
    6 * e4 * 4;
  const weightsBytes = 4 * (v4 * 4 * e4 * 4 + nCtx * e4 * 4 + nLayer * layer + 2 * e4 * 4);
  const activationsBytes = 16 * (ROWS * (2 * e4 + 4 * a4 + i4) + v4 + e4);
  const perToken = kvBytesPerToken({ a4 }, nLayer);
  const candidates: [string, number][] = [
    ["a layer's feed-forward matrix", 64 * e4 * i4],
    ["a layer's attention matrix", 64 * e4 * 3 * a4],
    ["the position embedding", 16 * nCtx * e4],
    ["a layer's K/V of a full context", kvBytesPerToken({ a4 }, 1) * nCtx],
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
