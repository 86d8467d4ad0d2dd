/** Examples at block boundaries, and exact error texts. */

import assert from "node:assert/strict";
import { assertRejects, NONE } from "../../../tests/fixtures/block_manager.ts";
import { BlockManager } from "./block_manager.ts";

Deno.test("BlockManager starts with every block free", () => {
  const manager = new BlockManager({ nBlocks: 4, blockSize: 16 });
  assert.equal(manager.nBlocks, 4);
  assert.equal(manager.blockSize, 16);
  assert.equal(manager.nFree, 4);
  assert.equal(manager.nUsed, 0);
  assert.deepEqual(manager.sequences, []);
  assert.deepEqual(manager.usage(), {
    blocks: 0,
    tokensReserved: 0,
    tokensUsed: 0,
    tokensInternal: 0,
    ...NONE,
  });
  manager.verify();
});

Deno.test("BlockManager refuses sizes that are not positive integers", () => {
  for (const size of [0, -1, 1.5, NaN, Infinity]) {
    assert.throws(() => new BlockManager({ nBlocks: size, blockSize: 16 }), {
      name: "UsageError",
      message: `Number of KV blocks is ${size}: expected an integer of at least 1`,
    });
    assert.throws(() => new BlockManager({ nBlocks: 4, blockSize: size }), {
      name: "UsageError",
      message: `KV block size is ${size} tokens: expected an integer of at least 1`,
    });
  }
});

Deno.test("BlockManager refuses an order that is not a permutation", () => {
  const cases: [number[], string][] = [
    [[0, 1], "Block order has length 2: expected each KV block from 0 to below 3 once"],
    [[0, 1, 1], "Block order has 1 at index 2: expected each KV block from 0 to below 3 once"],
    [[0, 3, 1], "Block order has 3 at index 1: expected each KV block from 0 to below 3 once"],
    [[-1, 0, 1], "Block order has -1 at index 0: expected each KV block from 0 to below 3 once"],
    [[0.5, 0, 1], "Block order has 0.5 at index 0: expected each KV block from 0 to below 3 once"],
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
        ...NONE,
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
    message: "Sequence 7 is open already: expected one that is not",
  });
});

Deno.test("BlockManager refuses token counts that are not natural numbers", () => {
  const manager = new BlockManager({ nBlocks: 4, blockSize: 16 });
  manager.allocate(7, 1);
  for (const nTokens of [-1, 0.5, NaN, Infinity]) {
    const message = (sequence: number) =>
      `Number of tokens for sequence ${sequence} is ${nTokens}: expected an integer of at least 0`;
    assertRejects(manager, () => manager.allocate(8, nTokens), { name: "RangeError", message: message(8) });
    assertRejects(manager, () => manager.append(7, nTokens), { name: "RangeError", message: message(7) });
    assertRejects(manager, () => manager.tryExtend(7, nTokens), { name: "RangeError", message: message(7) });
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
  assert.equal(manager.tryExtend(1, 4), undefined);
});

Deno.test("BlockManager.append() takes all the blocks that many tokens need at once", () => {
  const manager = new BlockManager({ nBlocks: 4, blockSize: 4 });
  manager.allocate(1, 3);
  assert.deepEqual(manager.append(1, 2 + 4), { newBlocks: [1, 2], copies: [] });
  assert.equal(manager.tokens(1), 9);
  manager.verify();
});

Deno.test("BlockManager.append() throws and changes nothing when blocks do not suffice", () => {
  const manager = new BlockManager({ nBlocks: 3, blockSize: 4 });
  manager.allocate(1, 7);
  assert.equal(manager.tryExtend(1, 13), undefined);
  assertRejects(manager, () => manager.append(1, 6), {
    name: "KvbenchError",
    message: "Cannot allocate 2 KV blocks for sequence 1: 1 of 3 is free",
  });
  assert.deepEqual(manager.append(1, 5), { newBlocks: [2], copies: [] });
});

Deno.test("BlockManager.tryExtend() does what append() does, up to a length", () => {
  const manager = new BlockManager({ nBlocks: 4, blockSize: 4 });
  manager.allocate(1, 3);
  manager.fork(1, 2);
  assert.deepEqual(manager.tryExtend(1, 9), { newBlocks: [2, 3], copies: [{ from: 0, to: 1 }] });
  assert.equal(manager.tokens(1), 9);
  assert.deepEqual(manager.tryExtend(1, 2), { newBlocks: [], copies: [] });
  assert.equal(manager.tokens(1), 9);
  manager.verify();
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
    message: "Sequence 1 is not open: expected one that is",
  });
});

Deno.test("BlockManager refuses every question about a sequence that is not open", () => {
  const manager = new BlockManager({ nBlocks: 4, blockSize: 4 });
  const acts = [
    () => manager.append(9),
    () => manager.tryExtend(9, 1),
    () => manager.free(9),
    () => manager.blockTable(9),
    () => manager.tokens(9),
    () => manager.slot(9, 0),
  ];
  for (const act of acts) {
    assertRejects(manager, act, {
      name: "RangeError",
      message: "Sequence 9 is not open: expected one that is",
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
      message: `Position ${position} of sequence 1 has no slot: expected an integer from 0 to below 6`,
    });
  }
});

Deno.test("BlockManager.verify() names the invariant that is broken", () => {
  const cases: [(table: number[]) => void, string][] = [
    [(table) => table.push(3), "Block table of sequence 1 has length 3: expected 2"],
    [(table) => table[1] = 0, "Block table of sequence 1 is 0,0: expected each block at most once"],
    [
      (table) => table[1] = 4,
      "Block table of sequence 1 holds KV block 4: expected an integer from 0 to below 4",
    ],
    [(table) => table[1] = 3, "KV block 1 has reference count 2: expected 1, its number of tables"],
    [
      (table) => table.reverse(),
      "KV block 0 has 4 tokens at index 0 of sequence 2: expected 2 at index 1 as in its other tables",
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
  assert.throws(() => manager.verify(), {
    name: "Error",
    message: "KV block 1 is free twice: expected once",
  });
  manager.allocate(3, 4);
  assert.throws(() => manager.verify(), {
    name: "Error",
    message: "KV block 1 is both free and used: expected one of them",
  });
});
