/**
 * Blocks that several sequences hold: forks, copies on write, prefixes that are found again, and groups that come back.
 */
import assert from "node:assert/strict";
import { assertRejects, observe } from "../../../tests/fixtures/block_manager.ts";
import { BlockManager } from "./block_manager.ts";

Deno.test("BlockManager.append() of no tokens changes nothing, even in a shared block", () => {
  const manager = new BlockManager({ nBlocks: 4, blockSize: 4 });
  manager.allocate(1, 3);
  manager.fork(1, 2);
  const before = observe(manager);
  assert.deepEqual(manager.append(1, 0), { newBlocks: [], copies: [] });
  assert.deepEqual(observe(manager), before);
});

Deno.test("BlockManager.append() throws and changes nothing when there is no block to copy into", () => {
  const manager = new BlockManager({ nBlocks: 2, blockSize: 4 });
  manager.allocate(1, 6);
  manager.fork(1, 2);
  assert.equal(manager.tryExtend(1, 7), undefined);
  assert.deepEqual(manager.tryExtend(1, 6), { newBlocks: [], copies: [] });
  assertRejects(manager, () => manager.append(1), {
    name: "KvbenchError",
    message: "Cannot allocate 1 KV block for sequence 1: 0 of 2 are free",
  });
});

Deno.test("BlockManager.append() counts the copy and the growth before it takes either", () => {
  const manager = new BlockManager({ nBlocks: 2, blockSize: 4 });
  manager.allocate(1, 3);
  manager.fork(1, 2);
  assert.equal(manager.tryExtend(1, 5), undefined);
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
  assert.deepEqual(manager.usage(), {
    blocks: 2,
    tokensReserved: 8,
    tokensUsed: 6,
    tokensInternal: 2,
    blocksSaved: 2,
    blocksCached: 0,
  });
});

Deno.test("BlockManager.fork() refuses an unknown parent and an open child", () => {
  const manager = new BlockManager({ nBlocks: 4, blockSize: 4 });
  manager.allocate(1, 6);
  assertRejects(manager, () => manager.fork(9, 2), {
    name: "RangeError",
    message: "Sequence 9 is not open: expected one that is",
  });
  assertRejects(manager, () => manager.fork(1, 1), {
    name: "RangeError",
    message: "Sequence 1 is open already: expected one that is not",
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
  assert.deepEqual(manager.usage(), {
    blocks: 5,
    tokensReserved: 20,
    tokensUsed: 16,
    tokensInternal: 4,
    blocksSaved: 2,
    blocksCached: 0,
  });
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

Deno.test("BlockManager.publish() lets another sequence share full blocks, and free ones too", () => {
  const manager = new BlockManager({ nBlocks: 4, blockSize: 4 });
  manager.allocate(1, 9);
  manager.publish(1, 0, "a");
  manager.publish(1, 1, "ab");
  assert.equal(manager.cachedBlocks(["a", "ab", "abc"]), 2);
  assert.equal(manager.cachedBlocks(["x", "ab"]), 0);
  manager.allocate(2, 6, ["a"]);
  manager.verify();
  assert.deepEqual(manager.blockTable(2), [0, 3]);
  manager.free(1);
  manager.verify();
  assert.equal(manager.nFree, 2); // block 1 is kept for "ab"
  assert.equal(manager.usage().blocksCached, 1);
  manager.free(2);
  manager.allocate(3, 12, ["a", "ab"]);
  manager.verify();
  assert.deepEqual(manager.blockTable(3), [0, 1, 3]);
});

Deno.test("BlockManager takes published blocks last, and first the one that has been free for longest", () => {
  const manager = new BlockManager({ nBlocks: 4, blockSize: 1 });
  for (const [sequence, key] of [[1, "a"], [2, "b"], [3, "c"]] as const) {
    manager.allocate(sequence, 1);
    manager.publish(sequence, 0, key);
  }
  for (const sequence of [2, 1, 3]) manager.free(sequence);
  manager.allocate(4, 2);
  assert.deepEqual(manager.blockTable(4), [3, 1]); // the one without a key, then "b"
  assert.deepEqual(["a", "b", "c"].map((key) => manager.cachedBlocks([key])), [1, 0, 1]);
  manager.verify();
});

Deno.test("BlockManager.canAllocate() counts found blocks that are free, and the watermark", () => {
  const manager = new BlockManager({ nBlocks: 4, blockSize: 2 });
  manager.allocate(1, 2);
  manager.publish(1, 0, "a");
  assert.equal(manager.canAllocate(8, ["a"]), true); // shares a block in use
  assert.equal(manager.canAllocate(8, ["a"], 1), false);
  manager.free(1);
  assert.equal(manager.canAllocate(8, ["a"]), true);
  assert.equal(manager.canAllocate(10, ["a"]), false); // the block that is found is one of the four free
  assertRejects(manager, () => manager.allocate(2, 10, ["a"]), {
    name: "KvbenchError",
    message: "Cannot allocate 5 KV blocks for sequence 2: 4 of 4 are free",
  });
});

Deno.test("BlockManager refuses a prefix that is too long or not at hand, and a block that is not full", () => {
  const manager = new BlockManager({ nBlocks: 4, blockSize: 2 });
  manager.allocate(1, 3);
  manager.publish(1, 0, "a");
  assertRejects(manager, () => manager.allocate(2, 1, ["a"]), {
    name: "RangeError",
    message: "A prefix of 1 blocks is longer than 1 tokens",
  });
  assertRejects(manager, () => manager.allocate(2, 4, ["a", "b"]), {
    name: "RangeError",
    message: "Block 1 of the prefix is not at hand",
  });
  assertRejects(manager, () => manager.publish(1, 1, "ab"), {
    name: "RangeError",
    message: "Block 1 of sequence 1 is not full: 3 tokens are stored",
  });
});

Deno.test("BlockManager.restore() brings a group back with its sharing, in other blocks", () => {
  const manager = new BlockManager({ nBlocks: 8, blockSize: 2 });
  manager.allocate(1, 5);
  manager.fork(1, 2);
  manager.append(2, 1);
  const before = manager.usage();
  const { shape, blocks } = manager.shapeOf([1, 2]);
  assert.deepEqual(blocks, [0, 1, 2, 3]);
  assert.deepEqual(shape, {
    nBlocks: 4,
    members: [{ nTokens: 5, table: [0, 1, 2] }, { nTokens: 6, table: [0, 1, 3] }],
  });
  manager.free(1);
  manager.free(2);
  manager.allocate(3, 1);
  const restored = manager.restore([1, 2], shape);
  manager.verify();
  assert.equal(restored.length, 4);
  assert.deepEqual(manager.blockTable(2), [restored[0], restored[1], restored[3]]);
  manager.free(3);
  assert.deepEqual(manager.usage(), before);
  assertRejects(manager, () => manager.restore([4], shape), {
    name: "RangeError",
    message: "There are 1 sequences: expected 2, one per member",
  });
});
