/** Serving simulations without a GPU: what the paper found, what the record holds, and what counts. */
import assert from "node:assert/strict";
import { A100, OPT_13B, PAPER_PLAN } from "../../tests/fixtures/paper_plan.ts";
import { strategies } from "../kv/registry.ts";
import { PREEMPTIONS } from "../engine/scheduler/scheduler_options.ts";
import { dryRun } from "./run_plan.ts";
import type { ServingEntry } from "./entry.ts";
import { plannedRequests, promptIdsOf, type ServingPlan } from "./plan.ts";
import { Samples } from "./samples.ts";

async function run(changes: Partial<ServingPlan>): Promise<ServingEntry[]> {
  return await dryRun({ ...PAPER_PLAN, ...changes }, OPT_13B, { hardware: A100 });
}

async function runOne(changes: Partial<ServingPlan>): Promise<ServingEntry> {
  const [entry] = await run({ policies: ["paged"], nRequests: 200, ...changes });
  return entry!;
}

Deno.test("A dry run of the paper's set-up finds the paper's batch sizes and waste", async () => {
  const entries = await run({});
  const find = (policy: string) => entries.find((entry) => entry.policy === policy)!;
  const close = (actual: number, expected: number, tolerance: number) =>
    assert.ok(
      Math.abs(actual - expected) <= tolerance,
      `${actual}, expected ${expected} within ${tolerance}`,
    );
  // Figure 13a, the average number of requests in a batch, within 15 %; the last requests leave a batch half empty.
  for (
    const [policy, expected] of [["max", 7], ["pow2", 9.81], ["oracle", 13.62], ["paged", 30.42]] as const
  ) {
    close(find(policy).sequences_mean, expected, 0.15 * expected);
  }
  // Figure 2, token states in percent of K/V memory, within 4 points.
  for (
    const [policy, expected] of [["max", 20.4], ["pow2", 26.8], ["oracle", 38.2], ["paged", 96.3]] as const
  ) {
    close(100 * find(policy).kv_share.token_states, expected, 4);
  }
  assert.ok(find("paged").kv_in_use_token_states > 0.98);
  for (const { kv_share } of entries) {
    close(Object.values(kv_share).reduce((sum, share) => sum + share), 1, 1e-9);
  }
});

Deno.test("A dry run serves every request with every policy that schedules, however small the budget", async () => {
  const policies = strategies().filter(({ traits }) => !traits.together).map(({ name }) => name);
  for (const preemption of PREEMPTIONS) {
    for (const allocator of ["buddy", "first-fit"] as const) {
      const kvOptions = { block_size: 16, allocator };
      const plan = { preemption, kvOptions, policies, nRequests: 60, verify: true };
      const entries = await run({ ...plan, budgetBytes: 2048 * OPT_13B.kvTokenBytes, swapBytes: 1e9 });
      for (const { finished, refused, policy } of entries) {
        assert.deepEqual([finished, refused], [60, 0], policy);
      }
    }
  }
});

Deno.test("A dry run refuses what can never run and serves the rest", async () => {
  const recorded = [{ promptTokens: 100, newTokens: 10 }, { promptTokens: 900, newTokens: 200 }];
  const entry = await runOne({
    lengths: { file: "lengths.csv", recorded },
    nRequests: 4,
    budgetBytes: 1024 * OPT_13B.kvTokenBytes,
  });
  assert.deepEqual([entry.finished, entry.refused, entry.output_tokens], [2, 2, 20]);
});

Deno.test("A dry run swaps in place of recomputing, as far as host memory goes", async () => {
  const tight = { budgetBytes: 3000 * OPT_13B.kvTokenBytes };
  const swapped = await runOne({ ...tight, preemption: "swap", swapBytes: 1e12 });
  assert.equal(swapped.preemptions.recomputes, 0);
  assert.ok(swapped.preemptions.swaps > 0 && swapped.preemptions.swapped_tokens > 0);
  const none = await runOne({ ...tight, preemption: "swap", swapBytes: 0 });
  assert.equal(none.preemptions.swaps, 0);
  assert.ok(none.preemptions.recomputed_tokens > 0);
  assert.ok(none.rows > swapped.rows);
});

Deno.test("A shared beginning is computed once and stored once", async () => {
  const alone = await runOne({ lengthScale: 0.1 });
  assert.equal(alone.prefix_hit_tokens, 0);
  const shared = await runOne({ lengthScale: 0.1, prefixes: { groups: 2, tokens: 340 }, maxSequences: 16 });
  // 21 full blocks of the beginning for all but those that came before it was there.
  assert.ok(shared.prefix_hit_tokens > 0.9 * 200 * 21 * 16);
  assert.equal(shared.prefix_hit_tokens % (21 * 16), 0);
  assert.ok(shared.sharing_saved > 0.5);
  assert.equal(alone.sharing_saved, 0);
});

Deno.test("Continuations share their prompt's blocks", async () => {
  const entry = await runOne({ continuations: 4, nRequests: 50 });
  assert.equal(entry.finished, 50);
  assert.ok(entry.sharing_saved > 0.1);
  const [contiguous] = await run({ policies: ["oracle"], continuations: 4, nRequests: 50 });
  assert.equal(contiguous!.sharing_saved, 0);
  assert.equal(contiguous!.output_tokens, entry.output_tokens);
});

Deno.test("Goodput counts requests within both limits, and latencies begin at the arrival", async () => {
  const rate = { ratePerSecond: 1 };
  const free = await runOne(rate);
  assert.equal(free.goodput_per_second, null);
  const all = await runOne({ ...rate, limits: { ttftMs: 1e9, tpotMs: 1e9 } });
  assert.equal(all.goodput_per_second, all.requests_per_second);
  const half = await runOne({ ...rate, limits: { ttftMs: free.ttft_ms!.p50, tpotMs: 1e9 } });
  assert.ok(Math.abs(half.goodput_per_second! / half.requests_per_second - 0.5) < 0.01);
  // Nobody waits at this rate: the first token comes after a step or two.
  assert.ok(free.ttft_ms!.p50 > 0 && free.ttft_ms!.p50 < 100);
  assert.ok(free.e2e_ms!.p50 > free.ttft_ms!.p50);
});

Deno.test("Requests of a plan are the same at every call, and come in order at the rate", () => {
  const plan = { ...PAPER_PLAN, ratePerSecond: 10, prefixes: { groups: 3, tokens: 20 } };
  const list = () => [...{ [Symbol.iterator]: () => plannedRequests(plan, OPT_13B) }];
  const requests = list();
  assert.deepEqual(list(), requests);
  assert.ok(requests.every(({ arrivalMs }, i) => i === 0 || arrivalMs >= requests[i - 1]!.arrivalMs));
  const seconds = requests.at(-1)!.arrivalMs / 1000;
  assert.ok(Math.abs(seconds - 200) < 20, `${seconds} s`);

  const [a, ...others] = requests;
  const ids = promptIdsOf(a!, plan, 1000);
  assert.equal(ids.length, a!.promptTokens);
  assert.deepEqual(promptIdsOf(a!, plan, 1000), ids);
  const sibling = others.find(({ prefixGroup }) => prefixGroup === a!.prefixGroup)!;
  const stranger = others.find(({ prefixGroup }) => prefixGroup !== a!.prefixGroup)!;
  assert.deepEqual(promptIdsOf(sibling, plan, 1000).slice(0, 20), ids.slice(0, 20));
  assert.notDeepEqual(promptIdsOf(sibling, plan, 1000).slice(20), ids.slice(20));
  assert.notDeepEqual(promptIdsOf(stranger, plan, 1000).slice(0, 20), ids.slice(0, 20));
});

Deno.test("Samples give the percentiles of many numbers", () => {
  const samples = new Samples();
  assert.equal(samples.percentiles(), null);
  for (let i = 5000; i >= 1; i--) samples.push(i);
  assert.deepEqual(samples.percentiles(), { mean: 2500.5, p50: 2500, p90: 4500, p99: 4950, max: 5000 });
});
