/**
 * Random operations of a block manager against a model that shares blocks as plain objects, counts no references and
 * keeps published blocks in a plain list.
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { KvbenchError, UsageError } from "../../base/errors.ts";
import { seededRandom } from "../../base/random.ts";
import { permitted } from "../../../tests/permitted.ts";
import { type BlockCopy, BlockManager } from "./block_manager.ts";
import type { GroupShape } from "./block_types.ts";
import { runs } from "../../../tests/fuzz.ts";

/** A block as the model knows it: the values of its tokens. Sharing is object identity. */
type ModelBlock = readonly number[];

type Operation =
  | { verb: "allocate"; sequence: number; nTokens: number; first: number }
  | { verb: "append"; sequence: number; nTokens: number }
  | { verb: "fork"; sequence: number; child: number }
  | { verb: "publish"; sequence: number }
  | { verb: "swap"; sequence: number; child: number }
  | { verb: "free"; sequence: number };

/** Sequences that operations name. */
const SEQUENCES = 5;
/** Values of tokens, few, so that sequences begin alike. */
const ALPHABET = 2;

/** Applies operations to a manager, to a pool of token values that obeys it, and to the naive model. */
class Trial {
  readonly #manager: BlockManager;
  #model = new Map<number, ModelBlock[]>();
  /** Published blocks by the values up to their end. */
  readonly #published = new Map<string, ModelBlock>();
  /** Published blocks that no sequence has, the one that has been free for longest first. */
  #cached: ModelBlock[] = [];
  /** One value per slot, [nBlocks * blockSize]. */
  readonly #pool: number[];
  readonly #random: () => number;

  constructor(manager: BlockManager, seed: number) {
    this.#manager = manager;
    this.#pool = new Array(manager.nBlocks * manager.blockSize).fill(NaN);
    this.#random = seededRandom(seed);
  }

  /** Carries one operation out, or checks that it is refused for the right reason, and compares everything. */
  apply(operation: Operation): void {
    const { verb, sequence } = operation;
    const isOpen = this.#model.has(sequence);
    switch (verb) {
      case "allocate": {
        const values = this.#values(operation.nTokens, operation.first);
        if (isOpen) return this.#refused(() => this.#manager.allocate(sequence, 1), RangeError);
        return this.#allocate(sequence, values);
      }
      case "append":
        if (!isOpen) return this.#refused(() => this.#manager.append(sequence), RangeError);
        return this.#append(sequence, this.#values(operation.nTokens));
      case "fork":
        if (!isOpen || this.#model.has(operation.child)) {
          return this.#refused(() => this.#manager.fork(sequence, operation.child), RangeError);
        }
        this.#manager.fork(sequence, operation.child);
        this.#model.set(operation.child, this.#model.get(sequence)!);
        return this.#compare();
      case "publish":
        if (!isOpen) return this.#refused(() => this.#manager.publish(sequence, 0, "x"), RangeError);
        this.#publish(sequence);
        return this.#compare();
      case "swap": {
        const group = [...new Set([sequence, operation.child])].filter((each) => this.#model.has(each));
        this.#swap(group);
        return this.#compare();
      }
      case "free":
        if (!isOpen) return this.#refused(() => this.#manager.free(sequence), RangeError);
        this.#manager.free(sequence);
        this.#free(sequence);
        return this.#compare();
    }
  }

  #values(count: number, first?: number): number[] {
    return Array.from(
      { length: count },
      (_, i) => i === 0 && first !== undefined ? first : Math.floor(this.#random() * ALPHABET),
    );
  }

  #allocate(sequence: number, values: readonly number[]): void {
    const { blockSize } = this.#manager;
    const blocks = chunks(values, blockSize);
    const full = blocks.filter((block) => block.length === blockSize);
    const keys = full.map((_, i) => keyOf(blocks.slice(0, i + 1)));
    const known = keys.findIndex((key) => !this.#published.has(key));
    const prefix = known < 0 ? keys : keys.slice(0, known);
    assert.equal(this.#manager.cachedBlocks(keys), prefix.length);
    const found = prefix.map((key) => this.#published.get(key)!);
    const table = [...found, ...blocks.slice(found.length)];
    const used = distinct([...this.#model.values(), table]);
    const fits = used <= this.#manager.nBlocks;
    assert.equal(this.#manager.canAllocate(values.length, prefix), fits);
    assert.equal(
      this.#manager.canAllocate(values.length, prefix, 2),
      used + 2 <= this.#manager.nBlocks,
    );
    if (!fits) {
      return this.#refused(() => this.#manager.allocate(sequence, values.length, prefix), KvbenchError);
    }
    this.#manager.allocate(sequence, values.length, prefix);
    this.#model.set(sequence, table);
    this.#evict();
    this.#write(sequence, found.length * blockSize, values);
    this.#compare();
  }

  #append(sequence: number, values: readonly number[]): void {
    const { blockSize } = this.#manager;
    const before = this.#model.get(sequence)!;
    const written = [...before.flat(), ...values];
    const keep = values.length === 0 ? before.length : Math.floor(before.flat().length / blockSize);
    const table = [...before.slice(0, keep), ...chunks(written, blockSize).slice(keep)];
    const after = new Map(this.#model).set(sequence, table);
    const fits = distinct(after.values()) <= this.#manager.nBlocks;
    if (!fits) {
      assert.equal(this.#manager.tryExtend(sequence, written.length), undefined);
      return this.#refused(() => this.#manager.append(sequence, values.length), KvbenchError);
    }
    const expected = [...this.#manager.blockTable(sequence)];
    const grown = values.length % 2 === 0
      ? this.#manager.append(sequence, values.length)
      : this.#manager.tryExtend(sequence, written.length);
    assert.ok(grown);
    const { newBlocks, copies } = grown;
    for (const { from, to } of copies) {
      assert.equal(expected.pop(), from);
      expected.push(to);
    }
    assert.deepEqual(this.#manager.blockTable(sequence), [...expected, ...newBlocks]);
    this.#copy(copies);
    this.#model = after;
    this.#evict();
    this.#write(sequence, before.flat().length, written);
    this.#compare();
  }

  /** Publishes the full blocks of a sequence, as long as their contents are not published already. */
  #publish(sequence: number): void {
    const blocks = this.#model.get(sequence)!;
    blocks.forEach((block, i) => {
      if (block.length < this.#manager.blockSize) return;
      const key = keyOf(blocks.slice(0, i + 1));
      this.#manager.publish(sequence, i, key);
      if (!this.#published.has(key) && ![...this.#published.values()].includes(block)) {
        this.#published.set(key, block);
      }
    });
  }

  /** Frees a group and brings it back in other blocks, where there are enough. */
  #swap(group: readonly number[]): void {
    const tables = new Map(group.map((sequence) => [sequence, this.#model.get(sequence)!]));
    const { blockSize } = this.#manager;
    const { shape, blocks } = this.#manager.shapeOf(group);
    assert.equal(shape.nBlocks, distinct(tables.values()));
    const saved = blocks.map((block) => this.#pool.slice(block * blockSize, (block + 1) * blockSize));
    for (const sequence of group) {
      this.#manager.free(sequence);
      this.#free(sequence);
    }
    if (shape.nBlocks > this.#manager.nFree) {
      return this.#refused(() => this.#manager.restore(group, shape), KvbenchError);
    }
    this.#manager.restore(group, shape).forEach((block, i) => {
      saved[i]!.forEach((value, offset) => this.#pool[block * blockSize + offset] = value);
    });
    const copies = new Map<ModelBlock, ModelBlock>();
    for (const [sequence, table] of tables) {
      this.#model.set(
        sequence,
        table.map((block) => {
          const copy = copies.get(block) ?? [...block];
          copies.set(block, copy);
          return copy;
        }),
      );
    }
    this.#evict();
  }

  #free(sequence: number): void {
    const table = this.#model.get(sequence)!;
    this.#model.delete(sequence);
    const used = new Set([...this.#model.values()].flat());
    const published = new Set(this.#published.values());
    for (const block of table.toReversed()) {
      if (!used.has(block) && published.has(block)) this.#cached.push(block);
    }
  }

  /** Drops what is in use again from the list of free blocks, and then the oldest ones that there is no room for. */
  #evict(): void {
    const used = new Set([...this.#model.values()].flat());
    this.#cached = this.#cached.filter((block) => !used.has(block));
    while (used.size + this.#cached.length > this.#manager.nBlocks) {
      const oldest = this.#cached.shift();
      for (const [key, block] of this.#published) if (block === oldest) this.#published.delete(key);
    }
  }

  #copy(copies: readonly BlockCopy[]): void {
    const { blockSize } = this.#manager;
    for (const { from, to } of copies) {
      this.#pool.copyWithin(to * blockSize, from * blockSize, (from + 1) * blockSize);
    }
  }

  #write(sequence: number, from: number, values: readonly number[]): void {
    for (let i = from; i < values.length; i++) this.#pool[this.#manager.slot(sequence, i)] = values[i]!;
  }

  #refused(act: () => unknown, kind: typeof RangeError | typeof KvbenchError): void {
    assert.throws(act, (error) => error instanceof kind && !(error instanceof UsageError));
    this.#compare();
  }

  #compare(): void {
    const manager = this.#manager;
    manager.verify();
    assert.deepEqual(manager.sequences.toSorted(), [...this.#model.keys()].toSorted());
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
      blocksSaved: [...this.#model.values()].flat().length - blocks,
      blocksCached: this.#cached.length,
    });
  }
}

function chunks(values: readonly number[], size: number): number[][] {
  return Array.from(
    { length: Math.ceil(values.length / size) },
    (_, i) => values.slice(i * size, (i + 1) * size),
  );
}

function distinct(tables: Iterable<readonly ModelBlock[]>): number {
  return new Set([...tables].flat()).size;
}

/** Names the contents of blocks one after another. */
function keyOf(blocks: readonly ModelBlock[]): string {
  return blocks.flat().join();
}

Deno.test("BlockManager agrees with a naive model under random operations and block orders", () => {
  const sequence = fc.nat({ max: SEQUENCES - 1 });
  const nTokens = fc.nat({ max: 12 });
  const first = fc.nat({ max: ALPHABET - 1 });
  const operation: fc.Arbitrary<Operation> = fc.oneof(
    { arbitrary: fc.record({ verb: fc.constant("allocate" as const), sequence, nTokens, first }), weight: 2 },
    { arbitrary: fc.record({ verb: fc.constant("append" as const), sequence, nTokens }), weight: 3 },
    fc.record({ verb: fc.constant("fork" as const), sequence, child: sequence }),
    fc.record({ verb: fc.constant("publish" as const), sequence }),
    fc.record({ verb: fc.constant("swap" as const), sequence, child: sequence }),
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
    fc.property(
      pool,
      fc.array(operation, { maxLength: 60, size: "max" }),
      fc.nat(),
      (options, operations, seed) => {
        const trial = new Trial(new BlockManager(options), seed);
        for (const each of operations) trial.apply(each);
      },
    ),
    { seed: 2, numRuns: runs(300) },
  );
});

/** Operations of the long run; a million with `KVBENCH_OPERATIONS=1000000`. */
const OPERATIONS = permitted("env") ? Number(Deno.env.get("KVBENCH_OPERATIONS") ?? 20_000) : 20_000;

Deno.test(`BlockManager keeps every invariant over ${OPERATIONS} random operations, and leaks nothing`, () => {
  const random = seededRandom(1);
  const below = (n: number) => Math.floor(random() * n);
  const manager = new BlockManager({ nBlocks: 48, blockSize: 4 });
  const swapped: { readonly sequences: number[]; readonly shape: GroupShape }[] = [];
  let next = 0, done = 0;
  const open = () => manager.sequences[below(manager.sequences.length)]!;
  const pick: (() => void)[] = [
    () => {
      const keys = Array.from({ length: below(4) }, (_, i) => `${below(3)}:${i}`);
      const prefix = keys.slice(0, manager.cachedBlocks(keys));
      const nTokens = 4 * prefix.length + below(20);
      if (manager.canAllocate(nTokens, prefix)) manager.allocate(next++, nTokens, prefix);
    },
    () => manager.tryExtend(open(), below(30)),
    () => manager.tryExtend(open(), below(60)),
    () => manager.sequences.length < 30 && manager.fork(open(), next++),
    () => {
      const sequence = open(), full = Math.floor(manager.tokens(sequence) / 4);
      for (let i = 0; i < full; i++) manager.publish(sequence, i, `${below(3)}:${i}`);
    },
    () => manager.free(open()),
    () => {
      const sequences = [...new Set([open(), open()])];
      swapped.push({ sequences, shape: manager.shapeOf(sequences).shape });
      for (const sequence of sequences) manager.free(sequence);
    },
    () => {
      const [first] = swapped;
      if (first === undefined || first.shape.nBlocks > manager.nFree) return;
      manager.restore(first.sequences, first.shape);
      swapped.shift();
    },
  ];
  for (; done < OPERATIONS; done++) {
    pick[manager.sequences.length === 0 ? 0 : below(pick.length)]!();
    manager.verify();
  }
  for (const sequence of manager.sequences) manager.free(sequence);
  manager.verify();
  assert.equal(manager.nFree, manager.nBlocks);
});
