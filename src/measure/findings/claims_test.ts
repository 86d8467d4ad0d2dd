import assert from "node:assert/strict";
import { fixtureResult } from "../../../tests/fixtures/result.ts";
import { type ClaimName, claimsOf, type ClaimVerdict } from "./claims.ts";
import { growthOf, slope } from "../statistics/growth.ts";
import type { BenchResult } from "../record/result.ts";

const STEPS: Readonly<Record<string, number>> = { "no-cache": 40, "kv-cache": 8, "paged": 6 };

/** A made-up result in which a step of each strategy takes so long. */
function steps(ms: Readonly<Record<string, number>> = {}, runs = 12): BenchResult {
  return fixtureResult({ runs, stepMs: ({ strategy }) => ({ ...STEPS, ...ms })[strategy]! });
}

/** A made-up result in which a token takes c · nᵏ. */
function powers(without: number, cached: number, grid = {}): BenchResult {
  return fixtureResult({
    grid,
    stepMs: ({ strategy }, n) => strategy === "no-cache" ? n ** without : 10 * n ** cached,
  });
}

function verdictOn(claim: ClaimName, result: BenchResult): ClaimVerdict {
  return claimsOf(result).find((each) => each.claim === claim)!.verdict;
}

function withPeaks(...totals: number[]): BenchResult {
  const result = fixtureResult();
  result.cells.forEach(({ memory }, i) => memory.peak_bytes.total = totals[i]!);
  return result;
}

Deno.test("Claims on memory hold or don't, by bytes", () => {
  const textbook = withPeaks(100, 120, 121),
    upside = withPeaks(122, 121, 120),
    close = withPeaks(100, 104, 104);
  const cases: [ClaimName, BenchResult, ClaimVerdict][] = [
    ["leastMemory", textbook, "holds"],
    ["leastMemory", upside, "does not hold"],
    ["cacheMemory", textbook, "holds"],
    ["cacheMemory", close, "does not hold"],
    ["pagedMemory", textbook, "holds"],
    ["pagedMemory", close, "does not hold"],
  ];
  for (const [claim, result, verdict] of cases) assert.equal(verdictOn(claim, result), verdict, claim);
  textbook.cells[2]!.memory.peak_bytes.tables = 0;
  assert.equal(verdictOn("pagedMemory", textbook), "does not hold"); // more memory, but not for metadata
});

Deno.test("Claims on latency hold, don't hold, or are not shown where intervals are wide or runs few", () => {
  const cases: [ClaimName, BenchResult, ClaimVerdict][] = [
    ["cacheLatency", steps(), "holds"],
    ["cacheLatency", steps({ "kv-cache": 40 }), "does not hold"],
    ["cacheLatency", steps({ "kv-cache": 60 }), "does not hold"],
    ["cacheLatency", steps({ "kv-cache": 37.6 }), "not shown by this run"],
    ["cacheLatency", steps({}, 3), "not shown by this run"],
    ["cacheLatency", fixtureResult({ grid: { new_tokens: [1] } }), "not shown by this run"],
    ["pagedLatency", steps(), "holds"],
    ["pagedLatency", steps({ "paged": 8 }), "does not hold"],
    ["pagedLatency", steps({ "paged": 9 }), "does not hold"],
    ["pagedLatency", steps({ "paged": 7.8 }, 5), "not shown by this run"],
  ];
  for (const [claim, result, verdict] of cases) assert.equal(verdictOn(claim, result), verdict, claim);
});

Deno.test("The claim on complexity follows the growth of a token's time with the context", () => {
  const cases: [BenchResult, ClaimVerdict][] = [
    [powers(1, 0), "holds"],
    [powers(2, 0.1), "holds"],
    [powers(1, 1), "does not hold"],
    [powers(0, 0.5), "does not hold"],
    [powers(0.1, 0), "not shown by this run"], // fixed costs may hide it
    [powers(1, 0, { prompt_tokens: [200] }), "not shown by this run"], // 201 to 249
    [powers(1, 0, { prompt_tokens: [20, 200] }), "holds"],
  ];
  for (const [result, verdict] of cases) assert.equal(verdictOn("complexity", result), verdict);
  const few = fixtureResult({ runs: 2, stepMs: ({ strategy }, n) => strategy === "no-cache" ? n : 1 });
  assert.equal(verdictOn("complexity", few), "not shown by this run");
});

Deno.test("A claim about a strategy that did not run is not shown, and says which", () => {
  const [least, , , , paged, complexity] = claimsOf(fixtureResult({ strategies: ["kv-cache", "paged"] }));
  assert.deepEqual(least, {
    claim: "leastMemory",
    verdict: "not shown by this run",
    evidence: { kind: "absent", strategies: ["no-cache"] },
  });
  assert.equal(paged!.evidence.kind, "time");
  assert.equal(complexity!.evidence.kind, "absent");
  assert.equal(claimsOf({ cells: [] }).length, 6);
});

Deno.test("growthOf() finds the exponent, with an interval around it, over all lengths", () => {
  const { cells } = powers(1.5, 0, { prompt_tokens: [10, 100], new_tokens: [30] });
  const growth = growthOf(cells.filter(({ strategy }) => strategy === "no-cache"))!;
  assert.ok(Math.abs(growth.exponent - 1.5) < 0.03, String(growth.exponent));
  const [low, high] = growth.interval!;
  assert.ok(low <= growth.exponent && growth.exponent <= high && high - low < 0.1);
  assert.deepEqual([growth.from, growth.to], [11, 129]);
  assert.equal(growthOf(fixtureResult({ grid: { new_tokens: [1] } }).cells), null);
  assert.equal(slope([1, 2, 4], [3, 5, 9]), 2);
});
