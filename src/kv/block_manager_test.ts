/**
 * Examples at block boundaries, exact error texts, and random operations against a model that shares blocks
 * as plain objects and counts no references.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { KvbenchError, UsageError } from "../errors.ts";
import { type BlockCopy, BlockManager } from "./block_manager.ts";

/** Everything that can be observed of a manager. */
function observe(manager: BlockManager): unknown {
  return {
    nFree: manager.nFree,
    nUsed: manager.nUsed,
    usage: manager.usage(),
    sequences: manager.sequences.map((sequence) => ({
      sequence,
      tokens: manager.tokens(sequence),
      table: [...manager.blockTable(sequence)],
    })),
  };
}

/** Checks that `act` throws exactly this error and leaves the manager as it was. */
function assertRejects(
  manager: BlockManager,
  act: () => unknown,
  error: { name: string; message: string },
): void {
  const before = observe(manager);
  assert.throws(act, error);
  assert.deepEqual(observe(manager), before);
  manager.verify();
}

Deno.test("BlockManager starts with every block free", () => {
  const manager = new BlockManager({ nBlocks: 4, blockSize: 16 });
  assert.equal(manager.nBlocks, 4);
  assert.equal(manager.blockSize, 16);
  assert.equal(manager.nFree, 4);
  assert.equal(manager.nUsed, 0);
  assert.deepEqual(manager.sequences, []);
  assert.deepEqual(manager.usage(), { blocks: 0, tokensReserved: 0, tokensUsed: 0, tokensInternal: 0 });
  manager.verify();
});

Deno.test("BlockManager refuses sizes that are not positive integers", () => {
  for (const size of [0, -1, 1.5, NaN, Infinity]) {
    assert.throws(() => new BlockManager({ nBlocks: size, blockSize: 16 }), {
      name: "UsageError",
      message: `Number of KV blocks is ${size}: wanted an integer of at least 1`,
    });
    assert.throws(() => new BlockManager({ nBlocks: 4, blockSize: size }), {
      name: "UsageError",
      message: `KV block size is ${size} tokens: wanted an integer of at least 1`,
    });
  }
});

Deno.test("BlockManager refuses an order that is not a permutation", () => {
  const cases: [number[], string][] = [
    [[0, 1], "Block order has length 2: wanted each KV block from 0 to below 3 once"],
    [[0, 1, 1], "Block order has 1 at index 2: wanted each KV block from 0 to below 3 once"],
    [[0, 3, 1], "Block order has 3 at index 1: wanted each KV block from 0 to below 3 once"],
    [[-1, 0, 1], "Block order has -1 at index 0: wanted each KV block from 0 to below 3 once"],
    [[0.5, 0, 1], "Block order has 0.5 at index 0: wanted each KV block from 0 to below 3 once"],
  ];
  for (const [order, message] of cases) {
    assert.throws(() => new BlockManager({ nBlocks: 3, blockSize: 1, order }), {
      name: "UsageError",
      message,
    });
  }
});

Deno.test("BlockManager hands out blocks in the given order and leaves the caller's array alone", () => {
  const order = [2, 0, 3, 1];
  const manager = new BlockManager({ nBlocks: 4, blockSize: 2, order });
  manager.allocate(1, 3);
  assert.deepEqual(manager.blockTable(1), [2, 0]);
  assert.deepEqual(manager.append(1, 2), { newBlocks: [3], copies: [] });
  assert.deepEqual(order, [2, 0, 3, 1]);
  manager.verify();
});

for (const blockSize of [1, 16]) {
  for (const nTokens of new Set([0, blockSize - 1, blockSize, blockSize + 1, 2 * blockSize])) {
    const nBlocks = Math.ceil(nTokens / blockSize);
    Deno.test(`BlockManager.allocate() takes blocks of size ${blockSize} for a length of ${nTokens}`, () => {
      const manager = new BlockManager({ nBlocks: 4, blockSize });
      manager.allocate(7, nTokens);
      manager.verify();
      assert.equal(manager.tokens(7), nTokens);
      assert.deepEqual(manager.blockTable(7), [0, 1].slice(0, nBlocks));
      assert.equal(manager.nUsed, nBlocks);
      assert.equal(manager.nFree, 4 - nBlocks);
      assert.deepEqual(manager.usage(), {
        blocks: nBlocks,
        tokensReserved: nBlocks * blockSize,
        tokensUsed: nTokens,
        tokensInternal: nBlocks * blockSize - nTokens,
      });
    });
  }
}

Deno.test("BlockManager.allocate() throws and changes nothing when blocks do not suffice", () => {
  const manager = new BlockManager({ nBlocks: 64, blockSize: 16 });
  manager.allocate(1, 63 * 16);
  assertRejects(manager, () => manager.allocate(7, 33), {
    name: "KvbenchError",
    message: "Cannot allocate 3 KV blocks for sequence 7: 1 of 64 is free",
  });
  assert.deepEqual(manager.sequences, [1]);
  manager.allocate(7, 16);
  assertRejects(manager, () => manager.allocate(8, 1), {
    name: "KvbenchError",
    message: "Cannot allocate 1 KV block for sequence 8: 0 of 64 are free",
  });
});

Deno.test("BlockManager.allocate() refuses a sequence that is open", () => {
  const manager = new BlockManager({ nBlocks: 4, blockSize: 16 });
  manager.allocate(7, 1);
  assertRejects(manager, () => manager.allocate(7, 1), {
    name: "RangeError",
    message: "Sequence 7 is open already: wanted one that is not",
  });
});

Deno.test("BlockManager refuses token counts that are not natural numbers", () => {
  const manager = new BlockManager({ nBlocks: 4, blockSize: 16 });
  manager.allocate(7, 1);
  for (const nTokens of [-1, 0.5, NaN, Infinity]) {
    const message = (sequence: number) =>
      `Number of tokens for sequence ${sequence} is ${nTokens}: wanted an integer of at least 0`;
    assertRejects(manager, () => manager.allocate(8, nTokens), { name: "RangeError", message: message(8) });
    assertRejects(manager, () => manager.append(7, nTokens), { name: "RangeError", message: message(7) });
    assertRejects(manager, () => manager.canAppend(7, nTokens), { name: "RangeError", message: message(7) });
  }
});

Deno.test("BlockManager.append() takes a new block at a block boundary", () => {
  const manager = new BlockManager({ nBlocks: 4, blockSize: 16, order: [3, 1, 0, 2] });
  manager.allocate(1, 15);
  assert.deepEqual(manager.append(1), { newBlocks: [], copies: [] });
  assert.equal(manager.tokens(1), 16);
  manager.verify();
  assert.deepEqual(manager.append(1), { newBlocks: [1], copies: [] });
  assert.equal(manager.tokens(1), 17);
  assert.deepEqual(manager.blockTable(1), [3, 1]);
  manager.verify();
});

Deno.test("BlockManager.append() takes a block per token when the block size is 1", () => {
  const manager = new BlockManager({ nBlocks: 3, blockSize: 1 });
  manager.allocate(1, 0);
  for (const block of [0, 1, 2]) {
    assert.deepEqual(manager.append(1), { newBlocks: [block], copies: [] });
    manager.verify();
  }
  assert.equal(manager.canAppend(1), false);
});

Deno.test("BlockManager.append() takes all the blocks that many tokens need at once", () => {
  const manager = new BlockManager({ nBlocks: 4, blockSize: 4 });
  manager.allocate(1, 3);
  assert.deepEqual(manager.append(1, 2 + 4), { newBlocks: [1, 2], copies: [] });
  assert.equal(manager.tokens(1), 9);
  manager.verify();
});

Deno.test("BlockManager.append() of no tokens changes nothing, even in a shared block", () => {
  const manager = new BlockManager({ nBlocks: 4, blockSize: 4 });
  manager.allocate(1, 3);
  manager.fork(1, 2);
  const before = observe(manager);
  assert.deepEqual(manager.append(1, 0), { newBlocks: [], copies: [] });
  assert.deepEqual(observe(manager), before);
});

Deno.test("BlockManager.append() throws and changes nothing when blocks do not suffice", () => {
  const manager = new BlockManager({ nBlocks: 3, blockSize: 4 });
  manager.allocate(1, 7);
  assert.equal(manager.canAppend(1, 5), true);
  assert.equal(manager.canAppend(1, 6), false);
  assertRejects(manager, () => manager.append(1, 6), {
    name: "KvbenchError",
    message: "Cannot allocate 2 KV blocks for sequence 1: 1 of 3 is free",
  });
  assert.deepEqual(manager.append(1, 5), { newBlocks: [2], copies: [] });
});

Deno.test("BlockManager.append() throws and changes nothing when there is no block to copy into", () => {
  const manager = new BlockManager({ nBlocks: 2, blockSize: 4 });
  manager.allocate(1, 6);
  manager.fork(1, 2);
  assert.equal(manager.canAppend(1), false);
  assert.equal(manager.canAppend(1, 0), true);
  assertRejects(manager, () => manager.append(1), {
    name: "KvbenchError",
    message: "Cannot allocate 1 KV block for sequence 1: 0 of 2 are free",
  });
});

Deno.test("BlockManager.append() counts the copy and the growth before it takes either", () => {
  const manager = new BlockManager({ nBlocks: 2, blockSize: 4 });
  manager.allocate(1, 3);
  manager.fork(1, 2);
  assert.equal(manager.canAppend(1, 1), true);
  assert.equal(manager.canAppend(1, 2), false);
  assertRejects(manager, () => manager.append(1, 2), {
    name: "KvbenchError",
    message: "Cannot allocate 2 KV blocks for sequence 1: 1 of 2 is free",
  });
});

Deno.test("BlockManager.fork() shares every block and takes none", () => {
  const manager = new BlockManager({ nBlocks: 4, blockSize: 4 });
  manager.allocate(1, 6);
  manager.fork(1, 2);
  manager.verify();
  assert.deepEqual(manager.sequences, [1, 2]);
  assert.equal(manager.tokens(2), 6);
  assert.deepEqual(manager.blockTable(2), [0, 1]);
  assert.equal(manager.nFree, 2);
  assert.deepEqual(manager.usage(), { blocks: 2, tokensReserved: 8, tokensUsed: 6, tokensInternal: 2 });
});

Deno.test("BlockManager.fork() refuses an unknown parent and an open child", () => {
  const manager = new BlockManager({ nBlocks: 4, blockSize: 4 });
  manager.allocate(1, 6);
  assertRejects(manager, () => manager.fork(9, 2), {
    name: "RangeError",
    message: "Sequence 9 is not open: wanted one that is",
  });
  assertRejects(manager, () => manager.fork(1, 1), {
    name: "RangeError",
    message: "Sequence 1 is open already: wanted one that is not",
  });
});

Deno.test("BlockManager.append() copies a shared last block for all of its owners but the last", () => {
  const manager = new BlockManager({ nBlocks: 6, blockSize: 4 });
  manager.allocate(1, 6);
  manager.fork(1, 2);
  manager.fork(2, 3);
  assert.deepEqual(manager.append(2), { newBlocks: [], copies: [{ from: 1, to: 2 }] });
  manager.verify();
  assert.deepEqual(manager.append(1, 4), { newBlocks: [4], copies: [{ from: 1, to: 3 }] });
  manager.verify();
  assert.deepEqual(manager.append(3), { newBlocks: [], copies: [] });
  manager.verify();
  assert.deepEqual(manager.blockTable(1), [0, 3, 4]);
  assert.deepEqual(manager.blockTable(2), [0, 2]);
  assert.deepEqual(manager.blockTable(3), [0, 1]);
  // Blocks 0 and 3 are full, 1 and 2 hold 3 tokens, 4 holds 2.
  assert.deepEqual(manager.usage(), { blocks: 5, tokensReserved: 20, tokensUsed: 16, tokensInternal: 4 });
});

Deno.test("BlockManager.append() copies nothing when the shared last block is full", () => {
  const manager = new BlockManager({ nBlocks: 4, blockSize: 4 });
  manager.allocate(1, 4);
  manager.fork(1, 2);
  assert.deepEqual(manager.append(1), { newBlocks: [1], copies: [] });
  assert.deepEqual(manager.append(2), { newBlocks: [2], copies: [] });
  assert.deepEqual(manager.blockTable(2), [0, 2]);
  manager.verify();
});

Deno.test("BlockManager.free() keeps the blocks that another sequence holds", () => {
  const manager = new BlockManager({ nBlocks: 4, blockSize: 4 });
  manager.allocate(1, 6);
  manager.fork(1, 2);
  manager.append(2);
  manager.free(1);
  manager.verify();
  assert.equal(manager.nUsed, 2);
  assert.deepEqual(manager.blockTable(2), [0, 2]);
  manager.free(2);
  manager.verify();
  assert.equal(manager.nFree, 4);
});

Deno.test("BlockManager.free() makes its blocks the next to be handed out", () => {
  const manager = new BlockManager({ nBlocks: 8, blockSize: 4 });
  manager.allocate(1, 8);
  manager.allocate(2, 12);
  manager.free(1);
  manager.allocate(3, 12);
  assert.deepEqual(manager.blockTable(3), [0, 1, 5]);
  manager.verify();
});

Deno.test("BlockManager.free() refuses a sequence that was freed before", () => {
  const manager = new BlockManager({ nBlocks: 4, blockSize: 4 });
  manager.allocate(1, 6);
  manager.allocate(2, 1);
  manager.free(1);
  assertRejects(manager, () => manager.free(1), {
    name: "RangeError",
    message: "Sequence 1 is not open: wanted one that is",
  });
});

Deno.test("BlockManager refuses every question about a sequence that is not open", () => {
  const manager = new BlockManager({ nBlocks: 4, blockSize: 4 });
  const acts = [
    () => manager.append(9),
    () => manager.canAppend(9),
    () => manager.free(9),
    () => manager.blockTable(9),
    () => manager.tokens(9),
    () => manager.slot(9, 0),
  ];
  for (const act of acts) {
    assertRejects(manager, act, {
      name: "RangeError",
      message: "Sequence 9 is not open: wanted one that is",
    });
  }
});

Deno.test("BlockManager.slot() finds a token's row through the block table", () => {
  const manager = new BlockManager({ nBlocks: 4, blockSize: 4, order: [3, 1, 0, 2] });
  manager.allocate(1, 9);
  const slots = Array.from({ length: 9 }, (_, position) => manager.slot(1, position));
  assert.deepEqual(slots, [12, 13, 14, 15, 4, 5, 6, 7, 0]);
});

Deno.test("BlockManager.slot() refuses a position that holds no token", () => {
  const manager = new BlockManager({ nBlocks: 4, blockSize: 4 });
  manager.allocate(1, 6);
  for (const position of [-1, 6, 0.5, NaN]) {
    assertRejects(manager, () => manager.slot(1, position), {
      name: "RangeError",
      message: `Position ${position} of sequence 1 has no slot: wanted an integer from 0 to below 6`,
    });
  }
});

Deno.test("BlockManager.verify() names the invariant that is broken", () => {
  const cases: [(table: number[]) => void, string][] = [
    [(table) => table.push(3), "Block table of sequence 1 has length 3: wanted 2"],
    [(table) => table[1] = 0, "Block table of sequence 1 is 0,0: wanted each block at most once"],
    [
      (table) => table[1] = 4,
      "Block table of sequence 1 holds KV block 4: wanted an integer from 0 to below 4",
    ],
    [(table) => table[1] = 3, "KV block 1 has reference count 2: wanted 1, its number of tables"],
    [
      (table) => table.reverse(),
      "KV block 0 has 4 tokens at index 0 of sequence 2: wanted 2 at index 1 as in its other tables",
    ],
  ];
  for (const [damage, message] of cases) {
    const manager = new BlockManager({ nBlocks: 4, blockSize: 4 });
    manager.allocate(1, 6);
    manager.fork(1, 2);
    damage(manager.blockTable(1) as number[]);
    assert.throws(() => manager.verify(), { name: "Error", message });
  }
});

Deno.test("BlockManager.verify() finds a block that is free twice, or free and used", () => {
  const manager = new BlockManager({ nBlocks: 4, blockSize: 4 });
  manager.allocate(1, 4);
  // Through a table that wrongly names the free block 1, a fork counts it up from 0 and down to 0 again.
  const table = manager.blockTable(1) as number[];
  table[0] = 1;
  manager.fork(1, 2);
  manager.free(2);
  table[0] = 0;
  assert.throws(() => manager.verify(), { name: "Error", message: "KV block 1 is free twice: wanted once" });
  manager.allocate(3, 4);
  assert.throws(() => manager.verify(), {
    name: "Error",
    message: "KV block 1 is both free and used: wanted one of them",
  });
});

/** A block as the model knows it: the values of its tokens. Sharing is object identity. */
type ModelBlock = number[];

type Operation =
  | { verb: "allocate"; sequence: number; nTokens: number }
  | { verb: "append"; sequence: number; nTokens: number }
  | { verb: "fork"; sequence: number; child: number }
  | { verb: "free"; sequence: number };

/** Applies operations to a manager, to a pool of token values that obeys it, and to the naive model. */
class Trial {
  readonly #manager: BlockManager;
  readonly #model = new Map<number, ModelBlock[]>();
  /** One value per slot, [nBlocks * blockSize]. */
  readonly #pool: number[];
  #nextValue = 0;

  constructor(manager: BlockManager) {
    this.#manager = manager;
    this.#pool = new Array(manager.nBlocks * manager.blockSize).fill(NaN);
  }

  apply(operation: Operation): void {
    const { verb, sequence } = operation;
    const isOpen = this.#model.has(sequence);
    const act = (): BlockCopy[] => {
      switch (verb) {
        case "allocate":
          this.#manager.allocate(sequence, operation.nTokens);
          return [];
        case "append":
          return this.#append(sequence, operation.nTokens);
        case "fork":
          this.#manager.fork(sequence, operation.child);
          return [];
        case "free":
          this.#manager.free(sequence);
          return [];
      }
    };
    const misused = verb === "allocate"
      ? isOpen
      : verb === "fork"
      ? !isOpen || this.#model.has(operation.child)
      : !isOpen;
    if (misused) return this.#expectRefusal(act, RangeError);

    // The model goes ahead on a copy, so that it need not know beforehand how many blocks it will use.
    const after = new Map(this.#model);
    const written: number[] = [];
    if (verb === "free") after.delete(sequence);
    if (verb === "fork") after.set(operation.child, this.#model.get(sequence)!);
    if (verb === "allocate" || verb === "append") {
      for (let i = 0; i < operation.nTokens; i++) written.push(this.#nextValue++);
      after.set(sequence, this.#extend(sequence, written));
    }
    const fits = distinct(after.values()) <= this.#manager.nBlocks;
    if (verb === "append") assert.equal(this.#manager.canAppend(sequence, operation.nTokens), fits);
    if (!fits) return this.#expectRefusal(act, KvbenchError);

    const start = verb === "append" ? this.#manager.tokens(sequence) : 0;
    const blockSize = this.#manager.blockSize;
    for (const { from, to } of act()) {
      this.#pool.copyWithin(to * blockSize, from * blockSize, (from + 1) * blockSize);
    }
    for (const [i, value] of written.entries()) this.#pool[this.#manager.slot(sequence, start + i)] = value;
    this.#model.clear();
    for (const [key, blocks] of after) this.#model.set(key, blocks);
    this.#compare();
  }

  /** Appends, and checks that the result accounts for every change of the block table. */
  #append(sequence: number, nTokens: number): BlockCopy[] {
    const expected = [...this.#manager.blockTable(sequence)];
    const { newBlocks, copies } = this.#manager.append(sequence, nTokens);
    for (const { from, to } of copies) {
      assert.equal(expected.pop(), from);
      expected.push(to);
    }
    assert.deepEqual(this.#manager.blockTable(sequence), [...expected, ...newBlocks]);
    return copies;
  }

  #extend(sequence: number, values: readonly number[]): ModelBlock[] {
    const { blockSize } = this.#manager;
    const blocks = [...this.#model.get(sequence) ?? []];
    const tail = blocks.at(-1);
    let rest = [...values];
    if (tail !== undefined && tail.length < blockSize && rest.length > 0) {
      blocks[blocks.length - 1] = [...tail, ...rest.slice(0, blockSize - tail.length)];
      rest = rest.slice(blockSize - tail.length);
    }
    for (let i = 0; i < rest.length; i += blockSize) blocks.push(rest.slice(i, i + blockSize));
    return blocks;
  }

  #expectRefusal(act: () => unknown, kind: typeof RangeError | typeof KvbenchError): void {
    const before = observe(this.#manager);
    assert.throws(act, (error) => error instanceof kind && !(error instanceof UsageError));
    assert.deepEqual(observe(this.#manager), before);
    this.#compare();
  }

  #compare(): void {
    const manager = this.#manager;
    manager.verify();
    assert.deepEqual(manager.sequences, [...this.#model.keys()]);
    for (const [sequence, blocks] of this.#model) {
      const values = blocks.flat();
      assert.equal(manager.tokens(sequence), values.length);
      assert.deepEqual(values.map((_, position) => this.#pool[manager.slot(sequence, position)]), values);
    }
    const blocks = distinct(this.#model.values());
    const tokensReserved = blocks * manager.blockSize;
    const tokensUsed = [...new Set([...this.#model.values()].flat())].flat().length;
    assert.equal(manager.nUsed, blocks);
    assert.equal(manager.nFree, manager.nBlocks - blocks);
    assert.deepEqual(manager.usage(), {
      blocks,
      tokensReserved,
      tokensUsed,
      tokensInternal: tokensReserved - tokensUsed,
    });
  }
}

function distinct(tables: Iterable<ModelBlock[]>): number {
  return new Set([...tables].flat()).size;
}

Deno.test("BlockManager agrees with a naive model under random operations and block orders", () => {
  const sequence = fc.nat({ max: 4 });
  const nTokens = fc.nat({ max: 12 });
  const operation: fc.Arbitrary<Operation> = fc.oneof(
    fc.record({ verb: fc.constant("allocate" as const), sequence, nTokens }),
    { arbitrary: fc.record({ verb: fc.constant("append" as const), sequence, nTokens }), weight: 3 },
    fc.record({ verb: fc.constant("fork" as const), sequence, child: sequence }),
    fc.record({ verb: fc.constant("free" as const), sequence }),
  );
  const pool = fc.integer({ min: 1, max: 16 }).chain((nBlocks) => {
    const blocks = Array.from({ length: nBlocks }, (_, block) => block);
    return fc.record({
      nBlocks: fc.constant(nBlocks),
      blockSize: fc.constantFrom(1, 2, 3, 4, 16),
      order: fc.shuffledSubarray(blocks, { minLength: nBlocks }),
    });
  });
  fc.assert(
    fc.property(pool, fc.array(operation, { maxLength: 60, size: "max" }), (options, operations) => {
      const trial = new Trial(new BlockManager(options));
      for (const each of operations) trial.apply(each);
    }),
    { seed: 2, numRuns: 300 },
  );
});
