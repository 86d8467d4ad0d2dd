import assert from "node:assert/strict";
import type { ScoredCell } from "../quality/scored_cell.ts";
import { qualityClaimsOf } from "./quality_claims.ts";

/** Makes a scored cell of 100 tokens, of which it keeps `kept`. */
function cell(
  options: Readonly<Record<string, number | string>>,
  { kept = 50, kld = [0.1, 0.001], ratio = [1.1, 0.01], dtype = "f32" }: {
    readonly kept?: number;
    readonly kld?: readonly [number, number];
    readonly ratio?: readonly [number, number];
    readonly dtype?: string;
  } = {},
): ScoredCell {
  const of = ([value, error]: readonly [number, number]) => ({ value, error });
  return {
    strategy: "any",
    settings: { prompt_tokens: 51, new_tokens: 50, batch: 1, kv_dtype: dtype, ...options },
    kv_tokens: kept,
    kv_bytes: 8 * kept,
    divergence: {
      positions: 50,
      kld: { mean: of(kld), median: kld[0], p95: kld[0], p99: kld[0], max: kld[0] },
      same_top: of([0.9, 0.01]),
      delta_p: { mean: of([0, 0]), rms: of([0, 0]) },
      perplexity: of([30, 1]),
      perplexity_ratio: of(ratio),
    },
  };
}

function verdictOf(claim: string, cells: readonly ScoredCell[]): string {
  return qualityClaimsOf(cells).find((each) => each.claim === claim)!.verdict;
}

Deno.test("Sinks rescue a window where perplexity is clearly lower with them, at the same bytes", () => {
  const pair = (ratio: readonly [number, number], kept = 50) => [
    cell({ sinks: 0, window: 50 }, { ratio: [1.5, 0.05] }),
    cell({ sinks: 4, window: 46 }, { ratio, kept }),
  ];
  assert.equal(verdictOf("sinks", pair([1.2, 0.05])), "holds");
  assert.equal(verdictOf("sinks", pair([1.4, 0.05])), "not shown by this run"); // 0.1 < 1.96 * 0.07
  assert.equal(verdictOf("sinks", pair([1.8, 0.05])), "does not hold");
  assert.equal(verdictOf("sinks", pair([1.2, 0.05], 54)), "not shown by this run"); // other bytes
  assert.equal(verdictOf("sinks", pair([1.2, 0.05]).slice(1)), "not shown by this run");
});

Deno.test("K needs more bits than V where narrow K diverges clearly more than narrow V", () => {
  const pair = (k: number, v: number) => [
    cell({}, { dtype: "int8/f16", kld: [k, 0.01] }),
    cell({}, { dtype: "f16/int8", kld: [v, 0.01] }),
  ];
  assert.equal(verdictOf("keys", pair(0.2, 0.1)), "holds");
  assert.equal(verdictOf("keys", pair(0.1, 0.2)), "does not hold");
  assert.equal(verdictOf("keys", pair(0.11, 0.1)), "not shown by this run");
  assert.equal(
    verdictOf("keys", [cell({}, { dtype: "int8/f16" }), cell({ window: 5 }, { dtype: "f16/int8" })]),
    "not shown by this run",
  );
});

Deno.test("A rotation halves the divergence where that is clear, at the same bytes", () => {
  const pair = (rotated: number, kept = 50) => [
    cell({}, { dtype: "int4", kld: [rotated, 0.01] }),
    cell({}, { dtype: "int4-plain", kld: [0.4, 0.02], kept }),
    cell({}, { dtype: "int8", kept: 60 }),
  ];
  assert.equal(verdictOf("rotation", pair(0.1)), "holds");
  assert.equal(verdictOf("rotation", pair(0.3)), "does not hold");
  assert.equal(verdictOf("rotation", pair(0.2)), "not shown by this run");
  assert.equal(verdictOf("rotation", pair(0.1, 55)), "not shown by this run");
});

Deno.test("Heavy hitters keep quality where a fifth of the tokens suffices, by the cell that keeps most of a fifth", () => {
  const hitters = (kept: number, ratio: readonly [number, number]) =>
    cell({ heavy: kept / 2, recent: kept / 2 }, { kept, ratio });
  assert.equal(verdictOf("heavyHitters", [hitters(20, [1.02, 0.01]), hitters(10, [2, 0.01])]), "holds");
  assert.equal(verdictOf("heavyHitters", [hitters(20, [1.08, 0.01])]), "does not hold");
  assert.equal(verdictOf("heavyHitters", [hitters(20, [1.08, 0.1])]), "not shown by this run");
  assert.equal(verdictOf("heavyHitters", [hitters(30, [1, 0.01])]), "not shown by this run");
});
