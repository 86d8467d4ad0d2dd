/** Block tables of the open sequences, and whether those of one pool agree with each other. */
import type { GroupShape } from "./block_types.ts";

/** One sequence's blocks. */
export interface BlockTable {
  /** Physical block by logical block, [ceil(nTokens / blockSize)]. */
  readonly table: number[];
  /** Tokens stored. */
  nTokens: number;
}

/** The tables of the open sequences. */
export class BlockTables {
  /** Entries of all tables together; a shared block counts as often as it is shared. */
  nEntries = 0;
  readonly #tables = new Map<number, BlockTable>();

  /** The open sequences, in the order in which they were opened. */
  get sequences(): number[] {
    return [...this.#tables.keys()];
  }

  /** Returns whether a sequence is open. */
  has(sequence: number): boolean {
    return this.#tables.has(sequence);
  }

  /**
   * The table of a sequence.
   *
   * @throws {RangeError} If it is not open.
   */
  get(sequence: number): BlockTable {
    const open = this.#tables.get(sequence);
    if (open === undefined) throw new RangeError(`Sequence ${sequence} is not open: expected one that is`);
    return open;
  }

  /** Opens a sequence, which {@linkcode BlockTables.expectUnopened} lets pass. */
  open(sequence: number, table: BlockTable): void {
    this.#tables.set(sequence, table);
    this.nEntries += table.table.length;
  }

  /**
   * Closes a sequence and gives its table.
   *
   * @throws {RangeError} If it is not open.
   */
  close(sequence: number): BlockTable {
    const open = this.get(sequence);
    this.#tables.delete(sequence);
    this.nEntries -= open.table.length;
    return open;
  }

  /** Adds blocks at the end of an open sequence's table. */
  push(open: BlockTable, blocks: readonly number[]): void {
    for (const block of blocks) open.table.push(block);
    this.nEntries += blocks.length;
  }

  /** @throws {RangeError} If the sequence is open. */
  expectUnopened(sequence: number): void {
    if (this.has(sequence)) {
      throw new RangeError(`Sequence ${sequence} is open already: expected one that is not`);
    }
  }

  /**
   * The tokens and the sharing of several sequences, and the blocks that hold them in the order of the shape's indices.
   *
   * @throws {RangeError} If a sequence is not open.
   */
  shapeOf(sequences: readonly number[]): { shape: GroupShape; blocks: number[] } {
    const indices = new Map<number, number>();
    const members = sequences.map((sequence) => {
      const { table, nTokens } = this.get(sequence);
      return {
        nTokens,
        table: table.map((block) => {
          const index = indices.get(block) ?? indices.size;
          indices.set(block, index);
          return index;
        }),
      };
    });
    return { shape: { nBlocks: indices.size, members }, blocks: [...indices.keys()] };
  }

  /** The findings of {@linkcode auditTables}. */
  audit(pool: { readonly nBlocks: number; readonly blockSize: number }): ReturnType<typeof auditTables> {
    return auditTables(this.#tables, pool);
  }
}

/** A block as its tables see it. */
interface BlockOwners {
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
function auditTables(
  tables: ReadonlyMap<number, BlockTable>,
  { nBlocks, blockSize }: { readonly nBlocks: number; readonly blockSize: number },
): { owners: Map<number, BlockOwners>; tableBlocks: number; tokensUsed: number } {
  const owners = new Map<number, BlockOwners>();
  let tableBlocks = 0, tokensUsed = 0;
  for (const [sequence, { table, nTokens }] of tables) {
    const length = Math.ceil(nTokens / blockSize);
    if (table.length !== length) {
      throw new Error(`Block table of sequence ${sequence} has length ${table.length}: expected ${length}`);
    }
    if (new Set(table).size !== length) {
      throw new Error(`Block table of sequence ${sequence} is ${table}: expected each block at most once`);
    }
    tableBlocks += length;
    for (const [index, block] of table.entries()) {
      if (!Number.isInteger(block) || block < 0 || block >= nBlocks) {
        throw new Error(
          `Block table of sequence ${sequence} holds KV block ${block}: expected an integer from 0 to below ${nBlocks}`,
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
            `expected ${owner.fill} at index ${owner.index} as in its other tables`,
        );
      }
    }
  }
  return { owners, tableBlocks, tokensUsed };
}
