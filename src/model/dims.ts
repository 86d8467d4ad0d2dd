/**
 * The padded dimensions that kernels work with. Kernels read and write vectors of four, so each width is
 * rounded up to a multiple of four and the padding is zero. For every published GPT-2 nothing is padded.
 *
 * Dimension letters used in shape comments: E the model width, H heads, D a head's width, A = H · D the attention
 * width, I the feed-forward width, V the vocabulary; E4, D4, A4, I4, V4 are the padded ones divided by four.
 */
import type { Gpt2Config } from "../checkpoint/config.ts";

/** Padded dimensions in units of four elements. */
export interface Dims {
  /** E4, the model width. */
  readonly e4: number;
  /** D4, the width of a head. */
  readonly headDim4: number;
  /** A4, the attention width. */
  readonly a4: number;
  /** I4, the feed-forward width. */
  readonly i4: number;
  /** V4, the vocabulary. */
  readonly v4: number;
}

/** Derives the padded dimensions of a model. */
export function dimsOf(config: Gpt2Config): Dims {
  const headDim4 = Math.ceil(config.headDim / 4);
  return {
    e4: Math.ceil(config.nEmbd / 4),
    headDim4,
    a4: config.nHead * headDim4,
    i4: Math.ceil(config.nInner / 4),
    v4: Math.ceil(config.vocabSize / 4),
  };
}
