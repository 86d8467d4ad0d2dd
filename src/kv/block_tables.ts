/**
 * Block tables, and whether those of one pool agree with each other.
 *
 * @module
 */

/** What one sequence holds. */
export interface BlockTable {
  /** Physical block by logical block, [ceil(nTokens / blockSize)]. */
  readonly table: number[];
  /** Tokens stored. */
  nTokens: number;
}

/** A block as its tables see it. */
export interface BlockOwners {
  /** Tables that hold it. */
  count: number;
  /** Its place in all of them. */
  readonly index: number;
  /** Tokens stored in it. */
  readonly fill: number;
}

/**
 * Looks through all tables of a pool.
 *
 * @returns The owners of each block in use, the entries of all tables, and the tokens stored in all blocks.
 * @throws {Error} If a table's length does not fit its tokens, a table holds a block twice or one outside the pool,
 * or the owners of a block disagree on its place or fill.
 */
export function auditTables(
  tables: ReadonlyMap<number, BlockTable>,
  { nBlocks, blockSize }: { readonly nBlocks: number; readonly blockSize: number },
): { owners: Map<number, BlockOwners>; tableBlocks: number; tokensUsed: number } {
  const owners = new Map<number, BlockOwners>();
  let tableBlocks = 0, tokensUsed = 0;
  for (const [sequence, { table, nTokens }] of tables) {
    const length = Math.ceil(nTokens / blockSize);
    if (table.length !== length) {
      throw new Error(`Block table of sequence ${sequence} has length ${table.length}: wanted ${length}`);
    }
    if (new Set(table).size !== length) {
      throw new Error(`Block table of sequence ${sequence} is ${table}: wanted each block at most once`);
    }
    tableBlocks += length;
    for (const [index, block] of table.entries()) {
      if (!Number.isInteger(block) || block < 0 || block >= nBlocks) {
        throw new Error(
          `Block table of sequence ${sequence} holds KV block ${block}: wanted an integer from 0 to below ${nBlocks}`,
        );
      }
      const fill = Math.min(blockSize, nTokens - index * blockSize);
      const owner = owners.get(block);
      if (owner === undefined) {
        owners.set(block, { count: 1, index, fill });
        tokensUsed += fill;
        continue;
      }
      owner.count += 1;
      if (owner.index !== index || owner.fill !== fill) {
        throw new Error(
          `KV block ${block} has ${fill} tokens at index ${index} of sequence ${sequence}: ` +
            `wanted ${owner.fill} at index ${owner.index} as in its other tables`,
        );
      }
    }
  }
  return { owners, tableBlocks, tokensUsed };
}
