import assert from "node:assert/strict";
import { fixtureResult } from "../../tests/fixtures/result.ts";
import { benchTable } from "./table.ts";

/** Cells of the first table row that starts with `label`. */
function cells(text: string, label: string): string[] {
  const line = text.split("\n").find((line) =>
    line.startsWith(`│ ${label}`) || line.startsWith(`│   ${label}`)
  );
  assert.ok(line !== undefined, `no row ${label}`);
  return line.split("│").slice(2, -1).map((cell) => cell.trim());
}

/** The sentences under the table, as one line. */
function sentencesOf(text: string): string {
  return text.split("\n\n").slice(1).join(" ").replaceAll("\n", " ");
}

Deno.test("benchTable() fits 100 columns, cuts no cell and has no ANSI codes", () => {
  const slow = fixtureResult();
  for (const entry of slow.results) {
    entry.e2e_ms = { median: 123_456, samples: [119_999, 123_456, 131_234] };
    entry.ttft_ms = { median: 9_876, samples: [9_123, 9_876, 9_999] };
    for (const key of ["total", "weights", "kv"] as const) entry.gpu_peak_bytes[key] = 12_345_678_901;
  }
  for (const result of [slow, fixtureResult(), fixtureResult({ strategies: ["paged"], newTokens: 1 })]) {
    const text = benchTable(result);
    // deno-lint-ignore no-control-regex -- the escape character is what must not be there
    assert.doesNotMatch(text, /\u001b|…|undefined|NaN|Infinity/);
    for (const line of text.split("\n")) assert.ok([...line].length <= 100, line);
  }
});

Deno.test("benchTable() has a column per strategy, in the result's order", () => {
  const text = benchTable(fixtureResult({ strategies: ["paged", "no-cache"] }));
  assert.deepEqual(text.split("\n")[1]?.split("│").slice(2, -1).map((cell) => cell.trim()), [
    "paged",
    "no-cache",
  ]);
});

Deno.test("benchTable() shows the spread where there are several runs, and not where there is one", () => {
  const [several] = cells(benchTable(fixtureResult({ runs: 3 })), "TTFT");
  assert.match(several ?? "", /^\d+\.\d \(\d+\.\d–\d+\.\d\) ms$/);
  const [one] = cells(benchTable(fixtureResult({ runs: 1 })), "TTFT");
  assert.match(one ?? "", /^\d+\.\d ms$/);
});

Deno.test("benchTable() divides the baseline's time by the strategy's", () => {
  const result = fixtureResult();
  result.results.forEach((entry, i) => entry.tpot_ms = { median: [40, 5, 8][i]!, samples: [[40, 5, 8][i]!] });
  const text = benchTable(result);
  assert.deepEqual(cells(text, "TPOT vs no-cache"), ["1.00 ×", "8.00 ×", "5.00 ×"]);
  assert.match(
    sentencesOf(text),
    /kv-cache decodes 8\.00 × faster per token than no-cache \(5\.00 ms against 40\.0 ms\)/,
  );
});

Deno.test("benchTable() compares with no-cache only where it ran", () => {
  const text = benchTable(fixtureResult({ strategies: ["kv-cache", "paged"] }));
  assert.doesNotMatch(text, /no-cache/);
});

Deno.test("benchTable() gives waste as a share of the reserved bytes", () => {
  const result = fixtureResult({ strategies: ["paged"] });
  Object.assign(result.results[0]!, {
    kv_allocated_bytes: 4096,
    kv_reserved_bytes: 3072,
    kv_used_bytes: 2048,
    kv_waste_bytes: { reserved_for_later: 256, internal: 768, external: 256 },
  });
  const text = benchTable(result);
  assert.deepEqual(cells(text, "used"), ["2.0 KiB (67 %)"]);
  assert.deepEqual(cells(text, "wasted"), ["1.3 KiB (42 %)"]);
  assert.deepEqual(cells(text, "  for later"), ["256 B (8.3 %)"]);
  assert.match(
    sentencesOf(text),
    /paged reserves 3\.0 KiB of K\/V for 74 tokens, 42 % of it unused, and leaves 768 B of its pool/,
  );
});

Deno.test("benchTable() claims no difference where the runs overlap, and doubts a single run", () => {
  const overlapping = fixtureResult({ strategies: ["no-cache", "kv-cache"] });
  for (const entry of overlapping.results) entry.tpot_ms = { median: 5, samples: [4, 5, 6] };
  assert.match(
    sentencesOf(benchTable(overlapping)),
    /kv-cache and no-cache don't differ by more than their runs do/,
  );
  const single = sentencesOf(benchTable(fixtureResult({ runs: 1 })));
  assert.match(single, /from one run, so that the spread is unknown/);
});

Deno.test("benchTable() says slower where a cache is slower", () => {
  const result = fixtureResult({ strategies: ["no-cache", "paged"] });
  result.results[0]!.tpot_ms = { median: 4, samples: [4, 4] };
  result.results[1]!.tpot_ms = { median: 6, samples: [6, 6] };
  assert.match(sentencesOf(benchTable(result)), /paged decodes 1\.50 × slower per token than no-cache/);
});

Deno.test("benchTable() explains the missing TPOT of a single token", () => {
  const text = benchTable(fixtureResult({ newTokens: 1 }));
  assert.deepEqual(cells(text, "TPOT"), ["–", "–", "–"]);
  assert.match(sentencesOf(text), /no decode phase/);
});

Deno.test("benchTable() warns of a software adapter, and only of one", () => {
  assert.match(sentencesOf(benchTable(fixtureResult())), /llvmpipe .* computes on the CPU/);
  assert.doesNotMatch(benchTable(fixtureResult({ software: false })), /computes on the CPU/);
});
