import assert from "node:assert/strict";
import { TuningBudget } from "../../gpu/autotune.ts";
import { fastestInTime, type Look } from "./search.ts";

/** Searches variants whose looks take `lookMs` of a made-up clock. */
async function search(
  shares: Readonly<Record<string, readonly number[]>>,
  { budgetMs = 5000, lookMs = 10 }: { budgetMs?: number; lookMs?: number } = {},
) {
  let clock = 0;
  const shown: string[] = [], looked: string[] = [];
  const looks = (variant: string): Look[] =>
    ["shape", "other shape"].map((what) => (which) => {
      clock += lookMs;
      looked.push(`${variant} ${what} ${which}`);
      return Promise.resolve(shares[variant]![which === "search" ? 0 : 1]!);
    });
  const chosen = await fastestInTime({
    variants: ["default", ...Object.keys(shares)],
    looks,
    onVariant: (variant) => shown.push(variant),
  }, new TuningBudget(budgetMs, () => clock));
  return { chosen, shown, looked, ms: clock };
}

Deno.test("fastestInTime() keeps the default unless a variant beats it twice", async () => {
  assert.equal((await search({ a: [0.99, 0.99], b: [1.1, 1.1] })).chosen, "default");
  assert.equal((await search({ a: [0.9, 0.9], b: [0.8, 0.85] })).chosen, "b");
  assert.equal((await search({ a: [0.9, 0.9], b: [0.8, 0.98] })).chosen, "default");
});

Deno.test("fastestInTime() looks at variants in their order, and says which before it does", async () => {
  const { shown, looked } = await search({ b: [1, 1], a: [1, 1] });
  assert.deepEqual(shown, ["b", "a"]);
  assert.deepEqual(looked.map((look) => look[0]), ["b", "b", "a", "a"]);
});

Deno.test("fastestInTime() looks no further at a variant that takes far longer", async () => {
  const { looked } = await search({ a: [2, 2], b: [1, 1] });
  assert.deepEqual(looked.map((look) => look[0]), ["a", "b", "b"]);
});

Deno.test("fastestInTime() begins nothing that would outlast its time, compiling counted", async () => {
  const many = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`v${i}`, [0.5, 0.5]]));
  for (const lookMs of [10, 300, 900, 2000]) {
    const { ms, chosen } = await search(many, { lookMs });
    assert.ok(ms <= 5000, `${ms} ms of looks that take ${lookMs}`);
    assert.equal(chosen, lookMs === 2000 ? "default" : "v0", `${lookMs}`);
  }
});

Deno.test("fastestInTime() takes no variant that it could not look at from all sides", async () => {
  assert.equal((await search({ a: [0.5, 0.5] }, { budgetMs: 50, lookMs: 30 })).chosen, "default");
});
