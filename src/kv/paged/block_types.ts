/** Arguments and results of a block manager. */

/** The pool that a {@linkcode BlockManager} hands out. */
export interface BlockManagerOptions {
  /** KV blocks in the pool, at least 1. */
  nBlocks: number;
  /** Tokens in a KV block, at least 1. */
  blockSize: number;
  /** The blocks 0 to `nBlocks - 1` in the order in which they are first handed out. Default: ascending. */
  order?: readonly number[];
}

/** A KV block whose contents must be copied, all layers, K and V, into another one. */
export interface BlockCopy {
  /** The physical block to read. */
  from: number;
  /** The physical block to write. */
  to: number;
}

/** The change of a block table by {@linkcode BlockManager.append}. */
export interface AppendResult {
  /** The physical blocks added at the end of the table, in table order. The target of a copy is not among them. */
  readonly newBlocks: readonly number[];
  /**
   * The copies to carry out, in the order of the calls that returned them and before any later write to the
   * pool. The table holds `to` in place of `from` already.
   */
  readonly copies: readonly BlockCopy[];
}

/** The pool's use. A block shared by several sequences, and each token in it, counts once. */
export interface BlockUsage {
  /** Blocks held by at least one sequence. */
  blocks: number;
  /** Tokens that these blocks have room for: `blocks * blockSize`. */
  tokensReserved: number;
  /** Tokens stored in them. */
  tokensUsed: number;
  /** Internal fragmentation in tokens: the unfilled tails of last blocks, `tokensReserved - tokensUsed`. */
  tokensInternal: number;
  /** Blocks that there would be more of if no two sequences shared one. */
  blocksSaved: number;
  /** Free blocks whose contents the prefix cache can still find. */
  blocksCached: number;
}

/** A set of sequences that share blocks, without the blocks: what survives their being swapped out. */
export interface GroupShape {
  /** Distinct blocks in all. */
  readonly nBlocks: number;
  /** By sequence, its tokens and its table as indices from 0 to below `nBlocks`. */
  readonly members: readonly { readonly nTokens: number; readonly table: readonly number[] }[];
}
