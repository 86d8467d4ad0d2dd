import assert from "node:assert/strict";
import { fixtureResult } from "../../tests/fixtures/result.ts";
import { summarise } from "../measure/summary.ts";
import { itlPanel, kvPanel, latencyPanel, memoryPanel, STRATEGY_COLOURS } from "./panels.ts";

const MIB = 2 ** 20;

Deno.test("itlPanel() puts each gap at the context that its token attends to", () => {
  const { data } = itlPanel(fixtureResult());
  assert.deepEqual(data.datasets.map(({ label }) => label), ["no-cache", "kv-cache", "paged"]);
  for (const { data: points } of data.datasets) {
    assert.equal(points.length, 49);
    assert.equal((points[0] as { x: number }).x, 26);
    assert.equal((points[48] as { x: number }).x, 74);
  }
});

Deno.test("A latency axis is logarithmic, and says so, only when the values differ more than 20-fold", () => {
  const narrow = itlPanel(fixtureResult());
  assert.equal(narrow.options?.scales?.["y"]?.type, "linear");
  assert.doesNotMatch(String(narrow.options?.plugins?.title?.text), /log/);
  const wide = itlPanel(fixtureResult({ grid: { prompt_tokens: [64], new_tokens: [900] } }));
  assert.equal(wide.options?.scales?.["y"]?.type, "logarithmic");
  assert.match(String(wide.options?.plugins?.title?.text), /log scale/);
});

Deno.test("latencyPanel() shows the medians, and no TPOT where there is none", () => {
  const result = fixtureResult();
  const { data } = latencyPanel(result);
  assert.deepEqual(data.labels, ["TTFT", "TPOT", "total (E2E)"]);
  assert.deepEqual(
    data.datasets.map((dataset) => dataset.data),
    result.cells.map((entry) => [entry.ttft_ms.median, entry.tpot_ms!.median, entry.e2e_ms.median]),
  );
  assert.deepEqual(latencyPanel(fixtureResult({ grid: { new_tokens: [1] } })).data.labels, [
    "TTFT",
    "total (E2E)",
  ]);
});

Deno.test("Every bar of a logarithmic axis has a length, even the shortest at a power of ten", () => {
  const result = fixtureResult({ strategies: ["kv-cache"] });
  result.cells[0]!.tpot_ms = summarise([1], 0);
  const axis = latencyPanel(result).options?.scales?.["x"] as { type: string; min: number; max: number };
  assert.equal(axis.type, "logarithmic");
  assert.ok(axis.min < 1 && axis.max > result.cells[0]!.e2e_ms.median);
});

Deno.test("memoryPanel() stacks the categories' bytes, with the weights or without", () => {
  const result = fixtureResult();
  const withWeights = memoryPanel(result, "with").data.datasets;
  const without = memoryPanel(result, "without").data.datasets;
  assert.deepEqual(withWeights.map(({ label }) => label), [
    "weights",
    "activations",
    "K/V",
    "tables",
    "staging",
  ]);
  assert.deepEqual(without.map(({ label }) => label), ["activations", "K/V", "tables", "staging"]);
  const bytes = withWeights.reduce((sum, { data }) => sum + Number(data[1]) * MIB, 0);
  assert.ok(Math.abs(bytes - result.cells[1]!.memory.peak_bytes.total) < 1); // 1 byte: MiB in f64 and back
});

Deno.test("kvPanel() splits the allocated bytes into used and wasted", () => {
  const result = fixtureResult();
  const { datasets } = kvPanel(result).data;
  result.cells.forEach((entry, i) => {
    const bytes = datasets.reduce((sum, { data }) => sum + Number(data[i]) * MIB, 0);
    assert.ok(Math.abs(bytes - entry.memory.kv_allocated_bytes) < 1, entry.strategy);
  });
});

Deno.test("A strategy has its own colour, the same in each panel", () => {
  const result = fixtureResult({ strategies: ["paged", "no-cache"] });
  const expected = [STRATEGY_COLOURS["paged"], STRATEGY_COLOURS["no-cache"]];
  assert.deepEqual(itlPanel(result).data.datasets.map(({ borderColor }) => borderColor), expected);
  assert.deepEqual(
    latencyPanel(result).data.datasets.map(({ backgroundColor }) => backgroundColor),
    expected,
  );
});
