import assert from "node:assert/strict";
import { fixtureResult } from "../../../tests/fixtures/result.ts";
import { figuresOf } from "./all.ts";
import { chartConfig } from "./chart_config.ts";
import type { Figure } from "./figure.ts";
import { distributionFigure, perTokenFigure, timesFigures } from "./latency.ts";
import { kvFigure, peakFigure, timelineFigure } from "./memory.ts";
import { findStrategy } from "../../kv/registry.ts";
import { DARK, LIGHT } from "./palette.ts";
import { rooflineFigure } from "./roofline.ts";
import { blockSweepFigure, promptSweepFigure } from "./sweeps.ts";
import { fixtureProfile } from "../../../tests/fixtures/profile.ts";

const MIB = 2 ** 20;

Deno.test("perTokenFigure() puts each gap at the context that its token attends to", () => {
  const { series, table } = perTokenFigure(fixtureResult())!;
  assert.deepEqual(series.map(({ name }) => name), ["no-cache", "kv-cache", "paged"]);
  for (const { points } of series) {
    assert.deepEqual([points.length, points[0]![0], points[48]![0]], [49, 26, 74]);
  }
  assert.deepEqual([table.rows.length, table.rows[0]![0]], [49, 26]);
  assert.equal(perTokenFigure(fixtureResult({ grid: { new_tokens: [1] } })), undefined);
});

Deno.test("perTokenFigure() draws every length of a sweep, with a gap in the line between them", () => {
  const { series } = perTokenFigure(fixtureResult({ grid: { prompt_tokens: [16, 200], new_tokens: [5] } }))!;
  assert.deepEqual(series[0]!.points.map(([x, y]) => y === null ? "gap" : x), [
    ...[17, 18, 19, 20],
    "gap",
    ...[201, 202, 203, 204],
  ]);
});

Deno.test("A latency axis is logarithmic, and says so, only when the values differ more than 20-fold", () => {
  const narrow = perTokenFigure(fixtureResult())!.y;
  assert.deepEqual([narrow.log, narrow.title], [false, "ms"]);
  const wide = perTokenFigure(fixtureResult({ grid: { prompt_tokens: [64], new_tokens: [900] } }))!.y;
  assert.deepEqual([wide.log, wide.title], [true, "ms, log scale"]);
});

Deno.test("timesFigures() shows each median from zero, and no TPOT where there is none", () => {
  const result = fixtureResult();
  const figures = timesFigures(result);
  assert.deepEqual(figures.map(({ id }) => id), ["latency-ttft", "latency-tpot", "latency-total"]);
  assert.deepEqual(
    figures.map(({ series }) => series.map(({ values }) => values[0])),
    (["ttft_ms", "tpot_ms", "e2e_ms"] as const).map((key) => result.cells.map((cell) => cell[key]!.median)),
  );
  for (const { x } of figures) assert.deepEqual([x.log, x.min], [false, 0]);
  const one = timesFigures(fixtureResult({ grid: { new_tokens: [1] } }));
  assert.deepEqual(one.map(({ id }) => id), ["latency-ttft", "latency-total"]);
});

Deno.test("peakFigure() stacks the categories' bytes, with the weights or without", () => {
  const result = fixtureResult();
  const [all, some] = [peakFigure(result, "with"), peakFigure(result, "without")];
  assert.deepEqual(all.series.map(({ name }) => name), [
    "weights",
    "activations",
    "K/V",
    "tables",
    "staging",
  ]);
  assert.deepEqual(some.series.map(({ name }) => name), ["activations", "K/V", "tables", "staging"]);
  const bytes = all.series.reduce((sum, { values }) => sum + values[1]! * MIB, 0);
  assert.ok(Math.abs(bytes - result.cells[1]!.memory.peak_bytes.total) < 1); // 1 byte: MiB in f64 and back
});

Deno.test("kvFigure() splits the allocated bytes into used and wasted", () => {
  const result = fixtureResult();
  const { series } = kvFigure(result);
  result.cells.forEach((cell, i) => {
    const bytes = series.reduce((sum, { values }) => sum + values[i]! * MIB, 0);
    assert.ok(Math.abs(bytes - cell.memory.kv_allocated_bytes) < 1, cell.strategy);
  });
});

Deno.test("timelineFigure() has a point per new token, the weights left out", () => {
  const result = fixtureResult();
  const { series } = timelineFigure(result);
  assert.equal(series[1]!.points.length, 50);
  const { timeline, peak_bytes } = result.cells[1]!.memory;
  assert.ok(
    Math.abs(series[1]!.points[9]![1]! * MIB - timeline.total_bytes[9]! + peak_bytes.weights) < 1,
  );
});

Deno.test("distributionFigure() rises from 0 to 100 % at the longest gap", () => {
  const result = fixtureResult();
  for (const [i, { points }] of distributionFigure(result)!.series.entries()) {
    assert.deepEqual([points[0]![1], points.at(-1)![1]], [0, 100]);
    assert.equal(points.at(-1)![0], result.cells[i]!.itl_ms!.max);
  }
});

Deno.test("A sweep has a chart for each setting that tells something, and a single run has none of them", () => {
  const grid = { prompt_tokens: [16, 256], batch: [1, 4], block_size: [16, 64] };
  const ids = (figures: Figure[]) => figures.map(({ id }) => id);
  const [one, sweep] = [figuresOf(fixtureResult()), figuresOf(fixtureResult({ grid }))];
  assert.deepEqual(ids(sweep).filter((id) => !ids(one).includes(id)), [
    "prompt-sweep",
    "batch-sweep",
    "block-size-sweep",
  ]);
  assert.deepEqual(promptSweepFigure(fixtureResult({ grid }))!.x.ticks, [16, 256]);
  const block = blockSweepFigure(fixtureResult({ grid }))!;
  assert.deepEqual(block.series.map(({ points }) => points.map(([size]) => size)), [[16, 64], [16, 64]]);
  assert.deepEqual(figuresOf({ ...fixtureResult(), cells: [] }), []);
});

Deno.test("rooflineFigure() puts a kernel at its operations per byte and per time", () => {
  const profile = fixtureProfile();
  const { series } = rooflineFigure(profile);
  const { operations, bytes, ms } = profile.kernels[0]!;
  assert.deepEqual(series[2]!.points[0], [operations / bytes, operations / ms / 1e6]);
  assert.equal(series[2]!.points.length, profile.kernels.filter(({ operations }) => operations > 0).length);
  assert.deepEqual(Math.max(...series[0]!.points.map(([, y]) => y!)), profile.peaks.gmacs_per_s);
});

Deno.test("Every chart has a caption, a table as wide as its head, and finite figures", () => {
  const grid = { prompt_tokens: [16, 256], batch: [1, 4], block_size: [16, 64] };
  for (const figure of [...figuresOf(fixtureResult({ grid })), rooflineFigure(fixtureProfile())]) {
    assert.match(figure.caption, /\.$/);
    assert.ok(figure.table.rows.length > 0, figure.id);
    for (const row of figure.table.rows) {
      assert.equal(row.length, figure.table.head.length, figure.id);
      for (const cell of row) if (typeof cell === "number") assert.ok(Number.isFinite(cell), figure.id);
    }
  }
});

Deno.test("chartConfig() gives a strategy its own colour, the same in each chart, in light and dark", () => {
  const result = fixtureResult({ strategies: ["paged", "no-cache"] });
  for (const palette of [LIGHT, DARK]) {
    const options = { theme: { ...palette, font: "x" }, fontSize: 13, legend: true, interactive: true };
    for (const figure of [perTokenFigure(result)!, ...timesFigures(result)]) {
      assert.deepEqual(
        chartConfig(figure, options).data.datasets.map(({ backgroundColor }) => backgroundColor),
        ["paged", "no-cache"].map((name) => findStrategy(name)!.line[palette.shade]),
      );
    }
  }
});
