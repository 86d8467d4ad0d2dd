/** Both allocators: examples, and random operations with every invariant checked after each. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { ArenaAllocator } from "./arena.ts";
import { BuddyAllocator } from "./buddy.ts";
import { FirstFitAllocator } from "./first_fit.ts";
import { prefixKeys } from "../prefix_keys.ts";
import { reservedTokens } from "./reservation.ts";
import { runs } from "../../../tests/fuzz.ts";

const KINDS = [["buddy", BuddyAllocator], ["first fit", FirstFitAllocator]] as const;

Deno.test("BuddyAllocator rounds up to powers of two and joins buddies again", () => {
  const arena = new BuddyAllocator(16);
  assert.deepEqual(arena.allocate(3), { offset: 0, size: 4 });
  assert.deepEqual(arena.allocate(1), { offset: 4, size: 1 });
  assert.deepEqual(arena.allocate(8), { offset: 8, size: 8 });
  assert.equal(arena.nFree, 3);
  assert.equal(arena.largestFree, 2);
  assert.equal(arena.allocate(3), undefined); // 3 slots are free, but not together
  arena.free(4);
  assert.equal(arena.largestFree, 4);
  arena.free(0);
  arena.free(8);
  assert.equal(arena.largestFree, 16);
  arena.verify();
});

Deno.test("BuddyAllocator uses all of an arena that is no power of two", () => {
  const arena = new BuddyAllocator(11);
  assert.equal(arena.largestFree, 8);
  assert.deepEqual([8, 2, 1].map((size) => arena.allocate(size)?.offset), [0, 8, 10]);
  assert.equal(arena.nFree, 0);
  for (const offset of [8, 0, 10]) arena.free(offset);
  assert.equal(arena.nFree, 11);
  arena.verify();
});

Deno.test("FirstFitAllocator takes the first hole that is long enough and rounds nothing", () => {
  const arena = new FirstFitAllocator(16);
  assert.deepEqual([3, 5, 2].map((size) => arena.allocate(size)?.offset), [0, 3, 8]);
  arena.free(0);
  assert.equal(arena.allocate(4)?.offset, 10);
  assert.equal(arena.allocate(2)?.offset, 0);
  assert.equal(arena.nFree, 3);
  assert.equal(arena.allocate(3), undefined); // 1 at 2 and 2 at 14
  arena.free(3);
  assert.equal(arena.largestFree, 6);
  arena.verify();
});

for (const [name, Allocator] of KINDS) {
  Deno.test(`An arena (${name}) refuses a bad size and a region that is not in use`, () => {
    for (const size of [0, -1, 1.5, NaN]) {
      assert.throws(() => new Allocator(size), {
        name: "UsageError",
        message: `KV arena is ${size} tokens: expected an integer of at least 1`,
      });
    }
    const arena = new Allocator(8);
    arena.allocate(4);
    arena.free(0);
    assert.throws(() => arena.free(0), {
      name: "RangeError",
      message: "No KV region begins at 0: expected the offset of one that is in use",
    });
  });

  Deno.test(`An arena (${name}) keeps its invariants under random operations`, () => {
    const operation = fc.oneof(
      fc.record({ allocate: fc.integer({ min: 1, max: 40 }) }),
      fc.record({ free: fc.nat() }),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100 }),
        fc.array(operation, { maxLength: 80, size: "max" }),
        (size, operations) => {
          const arena: ArenaAllocator = new Allocator(size);
          const offsets: number[] = [];
          for (const each of operations) {
            if ("allocate" in each) {
              const fits = arena.granted(each.allocate) <= arena.largestFree;
              const region = arena.allocate(each.allocate);
              assert.equal(region !== undefined, fits);
              if (region === undefined) continue;
              assert.equal(region.size, arena.granted(each.allocate));
              offsets.push(region.offset);
            } else if (offsets.length > 0) {
              arena.free(offsets.splice(each.free % offsets.length, 1)[0]!);
            }
            arena.verify();
          }
          for (const offset of offsets) arena.free(offset);
          arena.verify();
          assert.equal(arena.nFree, size);
          let count = 0;
          while (arena.allocate(operations.length + 1) !== undefined) count++;
          assert.equal(count, arena.capacityFor(operations.length + 1));
        },
      ),
      { seed: 3, numRuns: runs(200) },
    );
  });
}

Deno.test("reservedTokens() follows the paper's policies and never exceeds the context", () => {
  const lengths = { promptTokens: 100, newTokens: 25 };
  assert.equal(reservedTokens("max", lengths, 1024), 1024);
  assert.equal(reservedTokens("pow2", lengths, 1024), 132);
  assert.equal(reservedTokens("oracle", lengths, 1024), 125);
  assert.equal(reservedTokens("pow2", { promptTokens: 100, newTokens: 1 }, 1024), 101);
  assert.equal(reservedTokens("pow2", { promptTokens: 400, newTokens: 600 }, 1024), 1024);
});

Deno.test("prefixKeys() names each full block with all that comes before it", () => {
  const ids = [1, 2, 3, 4, 5, 6, 7];
  const keys = prefixKeys(ids, 3);
  assert.equal(keys.length, 2);
  assert.match(keys[0]!, /^[0-9a-f]{32}$/);
  assert.deepEqual(prefixKeys([1, 2, 3, 4, 5, 6], 3), keys);
  assert.equal(prefixKeys([1, 2, 3, 4, 5, 0], 3)[0], keys[0]);
  assert.notEqual(prefixKeys([1, 2, 3, 4, 5, 0], 3)[1], keys[1]);
  assert.notEqual(prefixKeys([0, 2, 3, 4, 5, 6], 3)[1], keys[1]);
  assert.deepEqual(prefixKeys([1, 2], 3), []);
});
