import assert from "node:assert/strict";
import { fixtureServing, SERVING_REQUESTS } from "../../../tests/fixtures/serving.ts";
import { parseServing } from "../../simulate/serving_result.ts";
import { reportPage } from "../page/page.ts";
import { servingFigures } from "./serving.ts";

const result = await fixtureServing();

Deno.test("A serving record's course of time has the means of its table, and its requests are in order", () => {
  for (const { timeline, kv_share, capacity_tokens, seconds, requests, policy } of result.results) {
    const tokens = timeline!.token_states.reduce((sum, each) => sum + each * timeline!.span_ms, 0);
    const share = tokens / (capacity_tokens * 1000 * seconds);
    assert.ok(Math.abs(share - kv_share.token_states) < 1e-6, `${policy}: ${share}`);
    assert.equal(requests!.length, SERVING_REQUESTS);
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
