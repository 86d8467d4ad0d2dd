import assert from "node:assert/strict";
import { A100, OPT_13B, PAPER_PLAN } from "../../../tests/fixtures/paper_plan.ts";
import { dryRun } from "../../simulate/run_plan.ts";
import { parseServing, servingRecord } from "../../simulate/serving_result.ts";
import { reportPage } from "../page/page.ts";
import { servingFigures } from "./serving.ts";

const plan = { ...PAPER_PLAN, policies: ["max", "paged"], nRequests: 120 };
const result = servingRecord(plan, OPT_13B, {
  created: "2026-01-01T00:00:00Z",
  command: ["serve-sim"],
  clock: {
    source: "model",
    gpu: A100.name,
    bytes_per_second: 1,
    flops_per_second: 1,
    host_bytes_per_second: 1,
    overhead_ms: 0,
  },
  results: await dryRun(plan, OPT_13B, { hardware: A100 }),
});

Deno.test("A serving record's course of time has the means of its table, and its requests are in order", () => {
  for (const { timeline, kv_share, capacity_tokens, seconds, requests, policy } of result.results) {
    const tokens = timeline!.token_states.reduce((sum, each) => sum + each * timeline!.span_ms, 0);
    const share = tokens / (capacity_tokens * 1000 * seconds);
    assert.ok(Math.abs(share - kv_share.token_states) < 1e-6, `${policy}: ${share}`);
    assert.equal(requests!.length, 120);
    for (const { arrival_ms, first_token_ms, end_ms } of requests!) {
      assert.ok(arrival_ms <= first_token_ms && first_token_ms <= end_ms);
    }
  }
});

Deno.test("A block table has the blocks of its tokens, none of them twice", () => {
  assert.equal(result.results[0]!.layout, null);
  const { sequences, block_tokens, pool_blocks } = result.results[1]!.layout!;
  const blocks = sequences.flatMap((each) => each.blocks);
  assert.equal(new Set(blocks).size, blocks.length);
  assert.ok(sequences.length > 1 && blocks.every((block) => block < pool_blocks));
  for (const { tokens, blocks } of sequences) assert.equal(blocks.length, Math.ceil(tokens / block_tokens));
  const gaps = sequences.flatMap(({ blocks }) => blocks.slice(1).map((block, i) => block - blocks[i]!));
  assert.ok(gaps.some((gap) => gap !== 1), "a logical neighbour lies elsewhere");
});

Deno.test("servingFigures() charts policies on one time axis, and leaves out what an old record lacks", () => {
  const figures = servingFigures(result);
  assert.deepEqual(figures.map(({ id }) => id), [
    "sequences",
    "kv-over-time-max",
    "kv-over-time-paged",
    "requests-max",
    "requests-paged",
    "blocks-paged",
    "throughput",
  ]);
  const ends = figures.filter(({ id }) => id.startsWith("kv-over-time")).map(({ x }) => x.max);
  assert.equal(new Set(ends).size, 1);
  const old = {
    ...result,
    schema_version: 2,
    results: result.results.map(({ timeline: _, requests: __, layout: ___, ...entry }) => entry),
  };
  assert.deepEqual(servingFigures(parseServing(old, "a test")).map(({ id }) => id), ["throughput"]);
});

Deno.test("reportPage() shows a serving simulation with its notes and charts", () => {
  const page = reportPage([result]);
  assert.match(page, /Sequences at once with paged: [\d.]+ × those of max/);
  assert.match(page, /id="chart-requests-paged"/);
});
