import assert from "node:assert/strict";
import { fixtureResult } from "../../../tests/fixtures/result.ts";
import type { Cell } from "../record/cell.ts";
import { createdOf, latencySteps } from "./latency_steps.ts";

/** A cell of the strategy whose gaps are `ms` by context. */
function cellOf(strategy: string, ms: (context: number) => number, grid = {}): Cell {
  return fixtureResult({
    strategies: [strategy],
    grid: { prompt_tokens: [25], new_tokens: [60], growth: ["dynamic"], ...grid },
    stepMs: (_, context) => ms(context),
  }).cells[0]!;
}

Deno.test("latencySteps() names the split of attention at which tokens begin to take longer", () => {
  // 25 tokens of prompt: gap i attends to 26 + i tokens, and splits hold 64
  const [step, ...others] = latencySteps(cellOf("paged", (context) => context > 64 ? 13 : 10))!;
  assert.deepEqual(others, []);
  const { kind, context, causes, changeMs } = step!;
  assert.deepEqual({ kind, context }, { kind: "level", context: 65 });
  assert.deepEqual(causes, [{ kind: "reserved", bytes: 98_304 }, { kind: "splits", from: 1, to: 2 }]);
  assert.ok(Math.abs(changeMs - 3) < 0.5, String(changeMs));
});

Deno.test("latencySteps() names the block at which one token takes longer, and finds no name where nothing was done", () => {
  const [block, other] = latencySteps(
    cellOf("paged", (context) => context === 49 || context === 54 ? 14 : 10),
  )!;
  assert.deepEqual([block!.kind, block!.context, block!.causes.map(({ kind }) => kind)], ["single", 49, [
    "reserved",
  ]]);
  assert.deepEqual([other!.kind, other!.context, other!.causes], ["single", 54, []]);
});

Deno.test("latencySteps() takes what happens at every token for no cause, and createdOf() counts it", () => {
  const cell = cellOf("kv-cache", (context) => context === 50 ? 14 : 10);
  assert.deepEqual(latencySteps(cell)!.map(({ context, causes }) => [context, causes]), [[50, []]]);
  const { tokens, of, buffers } = createdOf(cell)!;
  assert.deepEqual([tokens, of, buffers], [59, 59, 6]);
  assert.equal(createdOf(cellOf("paged", () => 10))!.tokens, 0);
});

Deno.test("latencySteps() tells nothing of one run, and finds nothing in noise", () => {
  assert.equal(latencySteps(fixtureResult({ runs: 1 }).cells[0]!), undefined);
  assert.deepEqual(fixtureResult().cells.map((cell) => latencySteps(cell)), [[], [], []]);
});
