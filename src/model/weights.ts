/**
 * A model's tensors on the GPU, packed for the kernels: matrices in the storage type that is asked for, vectors and the
 * position embedding in float32.
 */
import type { LedgerBuffer, LedgerVectors } from "../gpu/ledger.ts";

/** The shape of a packed matrix [K4, N4], or of a shard of its outputs. */
export interface MatrixShape {
  /** Input width in tiles. */
  readonly k4: number;
  /** Output width in tiles. */
  readonly n4: number;
  /** The first output tile, where this is a shard. */
  readonly firstN4: number;
}

/** A packed matrix on the GPU, or a shard of its outputs. */
export interface PackedMatrix extends MatrixShape {
  /** The packed tiles. */
  readonly tiles: LedgerVectors;
  /** Its scales; not read where the storage type has none. */
  readonly scale: LedgerBuffer;
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
  /** Shards of the token embedding, each a packed [E4, part of V4]. */
  readonly wte: readonly PackedMatrix[];
  /** Shards of the head, in the same form; those of the token embedding where it is tied. */
  readonly head: readonly PackedMatrix[];
  /** Position embedding: [nCtx, E4]. */
  readonly wpe: LedgerBuffer;
  /** By layer. */
  readonly layers: readonly LayerWeights[];
  /** The final norm. */
  readonly lnF: NormWeights;
  /** Bound where a kernel declares a bias or a scale and there is none. */
  readonly none: LedgerBuffer;
  /** Frees all tensors. */
  dispose(): void;
}
