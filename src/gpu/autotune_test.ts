import assert from "node:assert/strict";
import { fastest, TuningBudget } from "./autotune.ts";

Deno.test("fastest() keeps the first unless another is shorter by more than the margin", () => {
  assert.equal(fastest([10, 9.6, 9.7], 0.05), 0);
  assert.equal(fastest([10, 9.4, 9.2, 9.3], 0.05), 2);
  assert.equal(fastest([10, 9.6, 5], 0.05), 2);
});

Deno.test("TuningBudget begins no step that would end too late, judged by the longest of all its parts", async () => {
  let clock = 0;
  const budget = new TuningBudget(10_000, () => clock);
  const taking = (part: TuningBudget, ms: number) =>
    part.step(() => {
      clock += ms;
      return Promise.resolve(ms);
    });
  const first = budget.part(0.5), second = budget.part(1);
  assert.equal(await taking(first, 3000), 3000);
  assert.equal(await taking(first, 1), undefined, "2000 ms are left of its part");
  assert.equal(await taking(second, 2000), 2000);
  assert.equal(await taking(second, 1000), 1000);
  assert.equal(await taking(second, 1), undefined, "4000 ms are left of the whole, and a step may take 4500");
  assert.equal(await taking(budget.part(1 / 2), 1), undefined);
  assert.equal(clock, 6000);
});
