import assert from "node:assert/strict";
import { fixtureResult } from "../../tests/fixtures/result.ts";
import type { BenchResult } from "../measure/record/result.ts";
import { summarise } from "../measure/findings/summary.ts";
import { benchTable } from "./table.ts";

/** Cells of the first table row that starts with `label`. */
function cells(text: string, label: string): string[] {
  const line = text.split("\n").find((line) => line.startsWith(` ${label}`));
  assert.ok(line !== undefined, `no row ${label}`);
  return line.trim().split(/ {2,}/).slice(1);
}

/** The sentences under the table, as one line. */
function sentencesOf(text: string): string {
  return text.split("\n\n").slice(1).join(" ").replaceAll("\n", " ");
}

/** Gives each cell TPOT samples of its own. */
function withTpot(result: BenchResult, ...samples: number[][]): BenchResult {
  samples.forEach((each, i) => result.cells[i]!.tpot_ms = summarise(each, 0));
  return result;
}

const ONE_TOKEN = { new_tokens: [1] };

Deno.test("benchTable() fits 80 columns, cuts nothing and has no ANSI codes", () => {
  const slow = fixtureResult();
  for (const cell of slow.cells) {
    cell.e2e_ms = summarise([119_999, 123_456, 131_234], 0);
    cell.ttft_ms = summarise([9_123, 9_876, 9_999], 0);
    for (const key of ["total", "weights", "kv"] as const) cell.memory.peak_bytes[key] = 12_345_678_901;
  }
  const sweep = {
    prompt_tokens: [16, 900],
    batch: [1, 8],
    block_size: [1, 256],
    growth: ["static", "dynamic"],
  };
  for (
    const result of [
      slow,
      fixtureResult(),
      fixtureResult({ strategies: ["paged"], grid: ONE_TOKEN }),
      fixtureResult({ grid: sweep }),
    ]
  ) {
    const text = benchTable(result);
    // deno-lint-ignore no-control-regex -- the escape character is what must not be there
    assert.doesNotMatch(text, /\u001b|…|undefined|NaN|Infinity/);
    for (const line of text.split("\n")) assert.ok([...line].length <= 80, line);
  }
});

Deno.test("benchTable() has a column per strategy, in the result's order", () => {
  const text = benchTable(fixtureResult({ strategies: ["paged", "no-cache"] }));
  assert.deepEqual(text.split("\n")[0]?.trim().split(/ {2,}/), [
    "paged",
    "no-cache",
  ]);
});

Deno.test("benchTable() has a line per cell of a sweep, under the work that they share", () => {
  const result = fixtureResult({ grid: { batch: [1, 4], block_size: [8, 64] } });
  const lines = benchTable(result).split("\n");
  assert.equal(lines.filter((line) => /^prompt 25, 50 new, batch [14], K\/V f32$/.test(line)).length, 2);
  assert.equal(
    lines.filter((line) => /^ (no-cache|kv-cache|paged, block (8|64)) +\d.* ms/.test(line)).length,
    8,
  );
});

Deno.test("benchTable() shows the interval where there are several runs, and not where there is one", () => {
  const [several] = cells(benchTable(fixtureResult({ runs: 3 })), "TTFT");
  assert.match(several ?? "", /^\d+\.\d \(\d+\.\d–\d+\.\d\)$/);
  const [one] = cells(benchTable(fixtureResult({ runs: 1 })), "TTFT");
  assert.match(one ?? "", /^\d+\.\d$/);
});

Deno.test("benchTable() divides the baseline's time by the strategy's", () => {
  const text = benchTable(
    withTpot(fixtureResult(), [40, 40, 40, 40], [5, 5, 5, 5], [8, 8, 8, 8]),
  );
  assert.deepEqual(cells(text, "TPOT vs no-cache"), ["1.00 ×", "8.00 ×", "5.00 ×"]);
  assert.match(
    sentencesOf(text),
    /kv-cache decodes 8\.00 × \(8\.00–8\.00\) faster per token than no-cache \(5\.00 ms against 40\.0 ms\)/,
  );
});

Deno.test("benchTable() compares with no-cache only where it ran", () => {
  const text = benchTable(fixtureResult({ strategies: ["kv-cache", "paged"] }));
  assert.doesNotMatch(text, /(vs|than|against) no-cache/);
});

Deno.test("benchTable() gives each kind of waste as a share of the reserved bytes", () => {
  const result = fixtureResult({ strategies: ["paged"], grid: { new_tokens: [2] } });
  const { memory } = result.cells[0]!;
  memory.timeline = {
    total_bytes: [9000, 9000],
    kv_allocated_bytes: [4096, 4096],
    kv_used_bytes: [1024, 2048],
    kv_for_later_bytes: [1024, 0],
    kv_internal_bytes: [1024, 1024],
    kv_external_bytes: [256, 256],
    created_buffers: null,
    created_bytes: null,
    splits: null,
  };
  Object.assign(memory, { kv_reserved_bytes: 3072, kv_used_bytes: 2048, kv_allocated_bytes: 4096 });
  const text = benchTable(result);
  assert.deepEqual(cells(text, "reserved"), ["3.0 KiB"]);
  assert.deepEqual(cells(text, "used"), ["1.5 KiB (50 %)"]);
  assert.deepEqual(cells(text, "waste, for later"), ["512 B (17 %)"]);
  assert.deepEqual(cells(text, "waste, internal"), ["1.0 KiB (33 %)"]);
  assert.deepEqual(cells(text, "waste, external"), ["256 B (8.3 %)"]);
  assert.deepEqual(cells(text, "free for others"), ["768 B"]);
  assert.match(
    sentencesOf(text),
    /paged reserves 3\.0 KiB of K\/V for 26 tokens, 33 % of it unused, and leaves 1\.0 KiB of its pool/,
  );
});

Deno.test("benchTable() claims no difference where the runs overlap, and doubts few runs", () => {
  const same = [4, 5, 6, 5.5, 4.5];
  const overlapping = withTpot(fixtureResult({ strategies: ["no-cache", "kv-cache"] }), same, same);
  assert.match(
    sentencesOf(benchTable(overlapping)),
    /kv-cache and no-cache show no difference in decode speed beyond the spread of their runs/,
  );
  const single = sentencesOf(benchTable(fixtureResult({ runs: 1 })));
  assert.match(single, /from one run, so that the spread is unknown/);
});

Deno.test("benchTable() says slower where a cache is slower", () => {
  const result = withTpot(
    fixtureResult({ strategies: ["no-cache", "paged"] }),
    [4, 4, 4, 4],
    [6, 6, 6, 6],
  );
  assert.match(
    sentencesOf(benchTable(result)),
    /paged decodes 1\.50 × \(1\.50–1\.50\) slower per token than no-cache/,
  );
});

Deno.test("benchTable() explains the missing TPOT of a single token", () => {
  const text = benchTable(fixtureResult({ grid: ONE_TOKEN }));
  assert.deepEqual(cells(text, "TPOT"), ["–", "–", "–"]);
  assert.match(sentencesOf(text), /no decode phase/);
});

Deno.test("benchTable() warns of a software adapter, and only of one, and of an incomplete result", () => {
  assert.match(sentencesOf(benchTable(fixtureResult())), /llvmpipe .* computes on the CPU/);
  assert.doesNotMatch(benchTable(fixtureResult({ software: false })), /computes on the CPU/);
  assert.match(sentencesOf(benchTable({ ...fixtureResult(), complete: false })), /incomplete/);
});

Deno.test("benchTable() says what narrower numbers cost and save, or why that is not known", () => {
  const stored_f32 = { weights_bytes: 4 * 2 ** 20, kv_bytes_per_token: 8192 };
  const text = sentencesOf(benchTable({
    ...fixtureResult(),
    accuracy: [{
      weights_dtype: "int8",
      kv_dtype: "f32",
      positions: 50,
      greedy_equal: 48,
      max_logit_difference: 0.3541,
      stored: { ...stored_f32, weights_bytes: 2 ** 20 },
      stored_f32,
    }],
  }));
  assert.match(text, /int8 weights and f32 K\/V against float32.* before 48 of 50 new tokens \(96 %\)/);
  assert.match(text, /no logit differs by more than 0\.354; weights take 1\.0 MiB in place of 4\.0 MiB\./);
  const missing = benchTable({ ...fixtureResult(), accuracy_missing: "gpt2-xl does not fit" });
  assert.match(sentencesOf(missing), /quality of what is not exact was not measured: gpt2-xl does not fit\./);
});

Deno.test("benchTable() draws latency by position from zero, and leaves columns out that do not fit", () => {
  const text = benchTable(fixtureResult());
  assert.match(text, /^Latency of tokens 2 to 50 \(ITL, from 0 to [\d.]+ ms\)\n no-cache {2}[▁-█]{48}\n/m);
  const sweep = fixtureResult({ grid: { batch: [1, 4] } });
  assert.doesNotMatch(benchTable(sweep), /ITL p99/);
  assert.match(
    benchTable(sweep, { wide: true }),
    /total \(E2E\) +ITL p50 +ITL p99 +steps +created per token +tokens\/s/,
  );
});
