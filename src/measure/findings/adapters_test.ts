import assert from "node:assert/strict";
import { fixtureResult } from "../../../tests/fixtures/result.ts";
import { adapterFindings } from "./adapters.ts";

const GRID = { prompt_tokens: [20, 200], new_tokens: [16] };
const STEPS: Readonly<Record<string, number>> = { "no-cache": 40, "kv-cache": 8, "paged": 10 };
const RESULT = fixtureResult({ grid: GRID, runs: 9, stepMs: ({ strategy }) => STEPS[strategy]! });

Deno.test("adapterFindings() relates decode times on the longest context, each with its interval", () => {
  const { cacheGain, pagingCost, tpotMs, cacheBytes } = adapterFindings(RESULT).figures;
  for (const [estimate, value] of [[cacheGain, 5], [pagingCost, 0.25], [tpotMs, 8]] as const) {
    assert.ok(Math.abs(estimate!.value / value - 1) < 0.1, String(estimate!.value));
    const [low, high] = estimate!.interval!;
    assert.ok(low <= estimate!.value && estimate!.value <= high && low < high);
  }
  const [none, cache] = RESULT.cells.filter(({ settings }) => settings.prompt_tokens === 200);
  const peak = (cell: typeof none) => cell!.memory.peak_bytes.total;
  assert.deepEqual(cacheBytes, { value: peak(cache) - peak(none), interval: null });
});

Deno.test("adapterFindings() has no figures for strategies that did not run, and none for one token", () => {
  const { figures } = adapterFindings(fixtureResult({ strategies: ["kv-cache"] }));
  assert.deepEqual([figures.cacheGain, figures.pagingCost, figures.cacheBytes], [null, null, null]);
  assert.equal(adapterFindings(fixtureResult({ grid: { new_tokens: [1] } })).figures.tpotMs, null);
});

Deno.test("adapterFindings() says where a machine was busy, or its speed varied", () => {
  const noisy = (change: (result: typeof RESULT) => void) => {
    const result = structuredClone(RESULT);
    change(result);
    return adapterFindings(result).noisy;
  };
  assert.equal(noisy(() => {}), false);
  assert.equal(noisy(({ environment }) => environment.load_average = [1.9, 1, 1]), true);
  assert.equal(noisy(({ cells }) => cells.forEach(({ yardstick_ms }) => yardstick_ms.fill(20, 4))), true);
});

Deno.test("adapterFindings() takes only checks that all passed for a right adapter", () => {
  const passed = RESULT.self_check![0]!;
  const close = { ...passed, kernel: "linear.wgsl", largest_error: 9e-6, tolerance: 1e-5 };
  const outcome = (self_check: typeof RESULT.self_check) => {
    const { selfCheck, closest } = adapterFindings({ ...RESULT, self_check });
    return [selfCheck, closest?.kernel];
  };
  assert.deepEqual(outcome([passed, close]), ["right", "linear.wgsl"]);
  assert.deepEqual(outcome([passed, { ...close, verdict: "wrong" }]), ["wrong", "linear.wgsl"]);
  assert.deepEqual(outcome([{ ...passed, largest_error: null, verdict: "failed" }]), ["wrong", undefined]);
  for (const nothing of [null, []]) assert.deepEqual(outcome(nothing), ["not recorded", undefined]);
});
