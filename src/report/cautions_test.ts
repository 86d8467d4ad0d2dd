import assert from "node:assert/strict";
import { fixtureResult } from "../../tests/fixtures/result.ts";
import type { BenchResult } from "../measure/record/result.ts";
import { summarise } from "../measure/findings/summary.ts";
import { cautionsOf } from "./cautions.ts";

function warnings(change: (result: BenchResult) => void): string[] {
  const result = fixtureResult({ runs: 12, software: false });
  change(result);
  return cautionsOf(result, ({ strategy }) => strategy).map(({ text }) => text);
}

Deno.test("A quiet run has no warning", () => {
  assert.deepEqual(warnings(() => {}), []);
});

const CASES: readonly (readonly [what: string, change: (result: BenchResult) => void, text: RegExp])[] = [
  [
    "a busy machine",
    ({ environment }) => environment.load_average = [1.4, 1, 1],
    /busy.*1\.4 processes on 2 CPUs/,
  ],
  [
    "an unquiet machine",
    ({ cells }) => cells.forEach((cell) => cell.yardstick_ms = [5, 9, 6, 5, 8, 9, 5, 8]),
    /not quiet.*yardstick.* \d\d % of its median/,
  ],
  [
    "drift",
    ({ cells }) => cells[1]!.e2e_ms = summarise([10, 10.1, 10, 10.2, 12, 12.1, 12, 12.2], 0),
    /later half.*: kv-cache\./,
  ],
  [
    "outliers",
    ({ cells }) => cells[2]!.e2e_ms = summarise([10, 11, 10, 30, 10.5, 10, 11, 31, 10, 11], 0),
    /severe outliers.*: paged\./,
  ],
  [
    "precision that was not reached",
    ({ cells, groups, plan }) => {
      groups[0]!.stopped = "time";
      plan.target_ci = 0.001;
      cells.splice(1);
    },
    /--max-seconds 30.*±0\.1 %: no-cache\./,
  ],
];

for (const [what, change, text] of CASES) {
  Deno.test(`cautionsOf() tells of ${what}, and of nothing else`, () => {
    const found = warnings(change);
    assert.equal(found.length, 1, found.join(" "));
    assert.match(found[0]!, text);
  });
}
