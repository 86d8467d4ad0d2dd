/**
 * The scheduler over every kind of memory: examples of its decisions, and random workloads in which each step is
 * checked to find in memory what it will attend to.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { BuddyAllocator } from "../../kv/reserved/buddy.ts";
import { FirstFitAllocator } from "../../kv/reserved/first_fit.ts";
import { prefixKeys } from "../../kv/prefix_keys.ts";
import { RESERVATION_NAMES, type ReservationName } from "../../kv/reserved/reservation.ts";
import { ReservedPolicy } from "../../kv/reserved/policy.ts";
import { PagedPolicy } from "../../kv/paged/policy.ts";
import type { KvPolicy, KvTraits } from "../../kv/policy.ts";
import { ContiguousPolicy, type Growth, GROWTHS } from "../../kv/contiguous/policy.ts";
import type { Group } from "./request.ts";
import { Scheduler } from "./scheduler.ts";
import { type Preemption, PREEMPTIONS } from "./scheduler_options.ts";
import { ToyExecutor, type ToyRequest } from "../../../tests/fixtures/toy_executor.ts";
import { runs } from "../../../tests/fuzz.ts";

const N_CTX = 64;
const KEPT: KvTraits = { keeps: "all", exact: true, shares: false, preemptible: true };

interface Setup {
  readonly memory: KvPolicy;
  readonly preemption?: Preemption;
  readonly maxSequences?: number;
  readonly maxRows?: number;
}

function schedulerFor({ memory, preemption = "recompute", maxSequences = 8, maxRows = 16 }: Setup) {
  return new Scheduler<ToyRequest>(memory, { nCtx: N_CTX, maxSequences, maxRows, preemption });
}

function paged(nBlocks: number, blockSize = 4, swapBlocks = 0, watermark = 0): PagedPolicy {
  return new PagedPolicy({ nBlocks, blockSize, swapBlocks, watermark });
}

function request(id: number, promptTokens: number, newTokens: number, continuations = 1): ToyRequest {
  const ids = Array.from({ length: promptTokens }, (_, i) => 1000 * id + i);
  return { id, promptTokens, newTokens, continuations, ids };
}

/** Runs until nothing is left; gives [rows, sequences] of each step. */
function drain(scheduler: Scheduler<ToyRequest>, executor: ToyExecutor): string[] {
  const steps: string[] = [];
  for (let step = scheduler.step(); step; step = scheduler.step()) {
    executor.run(step);
    steps.push(step.spans.map(({ sequence, count }) => `${sequence.group.request.id}:${count}`).join(" "));
  }
  return steps;
}

Deno.test("Scheduler computes a long prompt in chunks beside the decoding of others", () => {
  const memory = paged(20);
  const scheduler = schedulerFor({ memory, maxRows: 8 });
  scheduler.submit(request(1, 3, 4));
  scheduler.submit(request(2, 12, 2));
  assert.deepEqual(drain(scheduler, new ToyExecutor(memory)), ["1:3 2:5", "1:1 2:7", "1:1 2:1", "1:1"]);
});

Deno.test("Scheduler preempts the request that came last, and brings it back first", () => {
  for (const preemption of PREEMPTIONS) {
    const memory = paged(4, 4, 8);
    const scheduler = schedulerFor({ memory, preemption });
    for (const id of [1, 2]) scheduler.submit(request(id, 7, 5));
    scheduler.submit(request(3, 2, 1));
    const steps = drain(scheduler, new ToyExecutor(memory));
    // Both have two full blocks when they hold 8 tokens. Request 2 goes, and 3 must wait for it.
    const back = preemption === "swap" ? "2:1" : "2:9";
    assert.deepEqual(steps, ["1:7 2:7", "1:1 2:1", "1:1", "1:1", "1:1", `${back} 3:2`, "2:1", "2:1"]);
    const { recomputes, swaps, recomputedTokens, swappedTokens } = scheduler.counters;
    assert.deepEqual(
      { recomputes, swaps, recomputedTokens, swappedTokens },
      preemption === "swap"
        ? { recomputes: 0, swaps: 1, recomputedTokens: 0, swappedTokens: 8 }
        : { recomputes: 1, swaps: 0, recomputedTokens: 8, swappedTokens: 0 },
    );
  }
});

Deno.test("Scheduler computes a prompt once for all continuations, which share its blocks", () => {
  const memory = paged(20);
  const scheduler = schedulerFor({ memory });
  const group = scheduler.submit(request(1, 6, 3, 3));
  const executor = new ToyExecutor(memory);
  executor.run(scheduler.step()!);
  assert.deepEqual(group.sequences.map(({ nTokens }) => nTokens), [7, 7, 7]);
  executor.run(scheduler.step()!);
  // One full block for all; the half block was copied for two of them.
  assert.deepEqual(memory.usage(), {
    capacity: 80,
    stored: 4 + 9,
    later: 0,
    internal: 3,
    free: 64,
    saved: 8,
  });
  assert.deepEqual(drain(scheduler, executor), ["1:1 1:1 1:1"]);
  assert.equal(memory.nFree, 80);
});

Deno.test("Scheduler skips what the prefix cache holds, but the last token", () => {
  const memory = paged(20);
  const scheduler = schedulerFor({ memory });
  const executor = new ToyExecutor(memory);
  for (const [id, wanted] of [[1, 8], [2, 4]] as const) {
    const ids = [1, 2, 3, 4, 5, 6, 7, 8];
    scheduler.submit({ id, promptTokens: 8, newTokens: 1, ids, prefix: prefixKeys(ids, 4) });
    assert.deepEqual(drain(scheduler, executor), [`${id}:${wanted}`]);
  }
  assert.equal(scheduler.counters.hitTokens, 4);
});

Deno.test("Scheduler refuses at once what can never run, with both numbers", () => {
  const arena = new ReservedPolicy({
    traits: KEPT,
    allocator: new BuddyAllocator(100),
    reserve: "max",
    maxTokens: N_CTX,
  });
  const cases = [
    [paged(4), request(1, 12, 6), "it may need 5 KV blocks of 4 tokens, and there are 4"],
    [paged(4), request(1, 6, 3, 4), "it may need 5 KV blocks of 4 tokens, and there are 4"],
    [paged(99), request(1, 60, 5), "60 prompt tokens and 5 new tokens make 65, and the context is 64"],
    [paged(99), request(1, 1, 1, 9), "it asks for 9 sequences, and at most 8 run at once"],
    [arena, request(1, 1, 1, 2), "it reserves 2 × 64 tokens of K/V, and 100 have room for 1 of these"],
  ] as const;
  for (const [memory, wanted, message] of cases) {
    assert.throws(() => schedulerFor({ memory }).submit(wanted), {
      name: "KvbenchError",
      message: `Request 1 can never run: ${message}`,
    });
  }
  schedulerFor({ memory: paged(5) }).submit(request(1, 12, 6));
});

Deno.test("Scheduler refuses steps that are too small for its sequences", () => {
  assert.throws(() => schedulerFor({ memory: paged(4), maxSequences: 8, maxRows: 7 }), {
    name: "UsageError",
    message: "A step of 7 tokens is too small for 8 sequences: expected at least one token for each",
  });
});

/** A workload in which everything happens: what each step number brings. */
const workload = fc.record({
  requests: fc.array(
    fc.record({
      at: fc.nat({ max: 20 }),
      prompt: fc.array(fc.nat({ max: 1 }), { minLength: 1, maxLength: 20 }),
      newTokens: fc.integer({ min: 1, max: 12 }),
      continuations: fc.integer({ min: 1, max: 3 }),
      cancelAt: fc.option(fc.nat({ max: 40 }), { freq: 3 }),
      endAt: fc.option(fc.nat({ max: 40 }), { freq: 3 }),
    }),
    { minLength: 1, maxLength: 12 },
  ),
  preemption: fc.constantFrom(...PREEMPTIONS),
  maxRows: fc.integer({ min: 6, max: 40 }),
});

/** Runs a workload over a memory and checks all that can be checked. */
function check(
  { requests, preemption, maxRows }: typeof workload extends fc.Arbitrary<infer W> ? W : never,
  memory: Setup["memory"],
): void {
  const { capacity } = memory.usage();
  const scheduler = schedulerFor({
    memory,
    preemption,
    maxSequences: 6,
    maxRows: memory.traits.keeps !== "nothing" ? maxRows : Math.max(maxRows, capacity),
  });
  const executor = new ToyExecutor(memory);
  const groups = new Map<number, Group<ToyRequest>>();
  const finished = new Set<number>();
  for (let now = 0;; now++) {
    requests.forEach(({ at, prompt, newTokens, continuations, cancelAt, endAt }, id) => {
      if (at === now) {
        const wanted = {
          id,
          ids: prompt,
          promptTokens: prompt.length,
          newTokens,
          continuations,
          ...(memory.blockSize !== undefined && { prefix: prefixKeys(prompt, memory.blockSize) }),
        };
        if (scheduler.refusal(wanted) === undefined) groups.set(id, scheduler.submit(wanted));
      }
      if (cancelAt !== null && cancelAt === now) scheduler.cancel(id);
      if (endAt !== null && endAt === now) {
        const sequence = groups.get(id)?.sequences[0];
        if (sequence) scheduler.end(sequence);
      }
    });
    const step = scheduler.step();
    memory.verify();
    if (!step) {
      if (now > 40) break;
      continue;
    }
    executor.run(step);
    for (const { request } of step.finished) finished.add(request.id);
    assert.ok(now < 10_000, "it ends");
  }
  for (const [id, { sequences }] of groups) {
    const { promptTokens, newTokens } = sequences[0]!.group.request;
    const { cancelAt, endAt } = requests[id]!;
    if (cancelAt === null && endAt === null) assert.ok(finished.has(id));
    for (const { nTokens, ended, index } of sequences) {
      assert.ok(ended);
      const whole = cancelAt === null && (endAt === null || index > 0);
      if (whole) assert.equal(nTokens, promptTokens + newTokens);
    }
  }
  assert.equal(memory.nFree, capacity);
  assert.equal(executor.nSwapped, 0);
  assert.deepEqual([scheduler.nRunning, scheduler.nWaiting, scheduler.nReturning], [0, 0, 0]);
}

Deno.test("Scheduler leaks nothing and finds all it stored, in blocks, whatever comes, goes and is preempted", () => {
  const memory = fc.record({
    nBlocks: fc.integer({ min: 4, max: 30 }),
    blockSize: fc.constantFrom(1, 2, 3, 4),
    swapBlocks: fc.constantFrom(0, 5, 100),
    watermark: fc.constantFrom(0, 1, 3),
  });
  fc.assert(
    fc.property(workload, memory, (work, options) => check(work, new PagedPolicy(options))),
    { seed: 4, numRuns: runs(1500) },
  );
});

Deno.test("Scheduler leaks nothing and finds all it stored, in regions of every policy and allocator", () => {
  const memory = fc.record({
    size: fc.integer({ min: 20, max: 200 }),
    policy: fc.constantFrom<ReservationName>(...RESERVATION_NAMES),
    buddy: fc.boolean(),
    keeps: fc.boolean(),
  });
  fc.assert(
    fc.property(workload, memory, (work, { size, policy: reserve, buddy, keeps }) => {
      const Allocator = buddy ? BuddyAllocator : FirstFitAllocator;
      const traits: KvTraits = { ...KEPT, keeps: keeps ? "all" : "nothing" };
      check(work, new ReservedPolicy({ traits, allocator: new Allocator(size), reserve, maxTokens: N_CTX }));
    }),
    { seed: 5, numRuns: runs(1500) },
  );
});

Deno.test("Scheduler leaks nothing and finds all it stored, in regions by sequence, fixed and growing", () => {
  const memory = fc.record({
    nRegions: fc.integer({ min: 1, max: 8 }),
    capacity: fc.integer({ min: 8, max: N_CTX }),
    growth: fc.constantFrom<Growth>(...GROWTHS),
    keeps: fc.boolean(),
  });
  fc.assert(
    fc.property(workload, memory, (work, { nRegions, capacity, growth, keeps }) => {
      const traits: KvTraits = { ...KEPT, keeps: keeps ? "all" : "nothing" };
      check(work, new ContiguousPolicy({ traits, nRegions, capacity, growth }));
    }),
    { seed: 6, numRuns: runs(1500) },
  );
});
