import assert from "node:assert/strict";
import { fixtureResult } from "../../tests/fixtures/result.ts";
import { cellLabels, saySettings } from "./labels.ts";

Deno.test("cellLabels() names the strategy, and the settings that tell cells apart", () => {
  assert.deepEqual(cellLabels(fixtureResult().cells), ["no-cache", "kv-cache", "paged"]);
  const { cells } = fixtureResult({
    grid: { batch: [1, 4], growth: ["static", "dynamic"], block_size: [8, 16] },
  });
  const labels = cellLabels(cells);
  assert.equal(new Set(labels).size, cells.length);
  assert.deepEqual(labels.slice(0, 4), [
    "no-cache, batch 1",
    "kv-cache, batch 1, static",
    "kv-cache, batch 1, dynamic",
    "paged, batch 1, block 8",
  ]);
});

Deno.test("saySettings() leaves out what doesn't concern a strategy", () => {
  const [cell] = fixtureResult().cells;
  assert.equal(saySettings(cell!.settings, ["prompt_tokens", "block_size", "growth"]), "prompt 25");
});
