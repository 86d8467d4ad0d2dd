import assert from "node:assert/strict";
import { fixtureResult } from "../../../tests/fixtures/result.ts";
import type { BenchResult } from "../../measure/record/result.ts";
import { reportPage } from "../page/page.ts";
import { columnsOf } from "../wrap.ts";
import { dotAxis } from "./axis.ts";
import { galleryFigure } from "./figure.ts";
import { galleryTable } from "./table.ts";
import { galleryView } from "./view.ts";

const ADAPTERS = ["NVIDIA H100 80GB HBM3", "Apple M3 Max", "llvmpipe (LLVM 15.0.6, 256 bits)"];

/** Made-up results of one plan, the first adapter the fastest, with what `change` makes of each. */
function results(change: (result: BenchResult, i: number) => void = () => {}): BenchResult[] {
  return ADAPTERS.map((description, i) => {
    const step = (strategy: string) => (1 + i) * (strategy === "no-cache" ? 4 : 1);
    const result = fixtureResult({ runs: 9, stepMs: ({ strategy }) => step(strategy) });
    result.environment.adapter = { ...result.environment.adapter, description, software: i === 2 };
    change(result, i);
    return result;
  });
}

Deno.test("galleryView() has a row an adapter, the fastest first, with anchors of their own", () => {
  const { rows, cautions } = galleryView(results().toReversed(), "en");
  assert.deepEqual(rows.map(({ name }) => name), ADAPTERS);
  assert.deepEqual(rows.map(({ anchor }) => anchor), [
    "nvidia-h100-80gb-hbm3-vulkan",
    "apple-m3-max-vulkan",
    "llvmpipe-llvm-15-0-6-256-bits-vulkan",
  ]);
  assert.match(rows[0]!.figures.cacheGain, /^[34]\.\d\d ± 0\.\d\d ×$/);
  assert.match(rows[0]!.figures.pagingCost, /^(?:[+−]\d\.\d|0\.0) ± \d\.\d %$/);
  assert.deepEqual(cautions, [
    "1 of 3 adapters compute on the CPU. Such times and factors are not those of a GPU.",
  ]);
});

Deno.test("galleryView() keeps commits of one adapter apart, and says that kernels differ and what was not checked", () => {
  const { rows, cautions } = galleryView(
    results((result, i) => {
      result.environment.adapter.description = "GPU";
      result.environment.adapter.software = false;
      result.environment.git_commit = String(i).repeat(40);
      if (i === 1) result.environment.kernels_sha256 = "ab".repeat(32);
      if (i === 2) result.self_check = null;
    }),
    "en",
  );
  assert.deepEqual(rows.map(({ anchor }) => anchor), [
    "gpu-vulkan-0000000",
    "gpu-vulkan-1111111",
    "gpu-vulkan-2222222",
  ]);
  assert.match(rows[1]!.program.long, /commit 1111111, kernels abababa/);
  assert.equal(rows[2]!.check.outcome, "not recorded");
  assert.match(
    cautions.join("\n"),
    /^GPU \(hardware, Vulkan\): .+right\.\nThe results are of 2 different sets/,
  );
});

Deno.test("galleryView() says where there are too few runs for intervals", () => {
  const { rows, cautions } = galleryView([fixtureResult({ runs: 2, software: false })], "en");
  assert.match(rows[0]!.figures.tpotMs, /^[\d.]+ ms$/);
  assert.deepEqual(cautions, ["NVIDIA H100 80GB HBM3 (hardware, Vulkan): too few runs for intervals."]);
});

Deno.test("galleryTable() fits 80 columns in every language", () => {
  for (const lang of ["en", "zh"] as const) {
    const lines = galleryTable(galleryView(results(), lang)).split("\n");
    assert.ok(lines.length > 12);
    for (const line of lines) assert.ok(columnsOf(line) <= 80, line);
  }
});

Deno.test("galleryFigure() has the factors of all rows, paging's as a speed, and an axis with 1 on it", () => {
  const view = galleryView(results(), "en");
  const { series, categories, x, table } = galleryFigure(view);
  assert.equal(categories.length, 3);
  for (const [i, { findings }] of view.rows.entries()) {
    assert.equal(series[0]!.values[i], findings.figures.cacheGain!.value);
    assert.equal(series[1]!.values[i], 1 / (1 + findings.figures.pagingCost!.value));
    for (const { values, intervals } of series) {
      const [low, high] = intervals![i]!;
      assert.ok(low <= values[i]! && values[i]! <= high);
    }
  }
  assert.ok(x.log && x.min! < 1 && x.max! > 4);
  assert.equal(table.rows.length, 3);
});

Deno.test("dotAxis() keeps everything within it, with at most three round values", () => {
  const estimates = [{ value: 2, interval: [1.9, 2.2] as [number, number] }, null, {
    value: 9,
    interval: null,
  }];
  const log = dotAxis(estimates, { log: true, rule: 1 })!;
  assert.deepEqual(log.ticks, [1, 2, 5]);
  for (const value of [1, 1.9, 2.2, 9]) assert.ok(log.at(value) >= 0.05 && log.at(value) <= 0.95);
  assert.ok(log.at(2) - log.at(1) > 0.3 * (log.at(9) - log.at(1)));
  const share = [{ value: -0.01, interval: [-0.032, 0.004] as [number, number] }];
  assert.deepEqual(dotAxis(share, { log: false, rule: 0 })!.ticks, [-0.02, 0]);
  assert.equal(dotAxis([{ value: 3, interval: null }], { log: true })!.at(3), 0.5);
  assert.equal(dotAxis([null], { log: true }), undefined);
});

Deno.test("reportPage() of one plan has a row and a result in full for each adapter, and escapes their names", () => {
  const page = reportPage(results((result, i) => {
    if (i === 0) result.environment.adapter.description = '"><img src=x>';
  }));
  assert.doesNotMatch(page, /<img/);
  assert.equal(page.match(/<tr data-adapter="[^"]+" data-search/g)!.length, 3);
  assert.equal(page.match(/<details class="adapter" data-adapter="/g)!.length, 3);
  assert.equal(page.match(/<h2>/g)!.length, 2);
  for (const [, anchor] of page.matchAll(/href="#adapter=([^"]+)"/g)) {
    assert.equal(page.split(`data-adapter="${anchor}"`).length, 4, anchor); // figures, claims, details
  }
});

Deno.test("reportPage() of several plans leaves each result alone", () => {
  const page = reportPage([fixtureResult(), fixtureResult({ runs: 2 })]);
  assert.doesNotMatch(page, /id="gallery"/);
});
