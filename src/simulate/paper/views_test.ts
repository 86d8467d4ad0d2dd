/**
 * The paper's views from dry runs in its set-up: which case is better is as in the paper, and the figures are near.
 */
import assert from "node:assert/strict";
import { A100, OPT_13B, PAPER_PLAN } from "../../../tests/fixtures/paper_plan.ts";
import { dryRun } from "../run_plan.ts";
import { type View, VIEW_NAMES, viewSchema } from "./paper_result.ts";
import { viewOf } from "./views.ts";

const PLAN = { ...PAPER_PLAN, nRequests: 600 };

async function make(name: View["name"], nRequests = PLAN.nRequests): Promise<View> {
  const view = await viewOf(name, {
    plan: { ...PLAN, nRequests },
    shape: OPT_13B,
    run: (plan) => dryRun(plan, OPT_13B, { hardware: A100 }),
    measured: false,
  });
  assert.deepEqual(viewSchema.parse(view), view);
  return view;
}

const column = ({ rows }: View, index: number) => rows.map(({ here }) => here[index]!);
const isSorted = (values: readonly number[]) =>
  values.every((value, i) => i === 0 || values[i - 1]! <= value);

Deno.test("viewOf() shows less waste and more sequences from policy to policy", async () => {
  const waste = await make("waste");
  assert.deepEqual(waste.rows.map(({ label }) => label), ["max", "pow2", "oracle", "paged"]);
  assert.ok(isSorted(column(waste, 0)));
  for (const { here } of waste.rows) {
    assert.ok(Math.abs(here.reduce((sum: number, share) => sum + share!, 0) - 100) < 1e-6);
  }
  const { rows } = await make("batch");
  for (const { here } of rows) assert.ok(isSorted(here as number[]));
});

Deno.test("viewOf() finds what the paper finds of sharing, within a third", async () => {
  const { rows } = await make("sharing");
  assert.equal(rows.length, 6);
  for (const { label, here, paper } of rows) {
    for (const [i, wanted] of paper.entries()) {
      if (wanted !== null) {
        assert.ok(Math.abs(here[i]! / wanted - 1) < 1 / 3, `${label}: ${here[i]}, ${wanted}`);
      }
    }
  }
});

Deno.test("viewOf() finds a speed-up from shared beginnings, and more from longer ones", async () => {
  const [one, five] = column(await make("prefix"), 0) as [number, number];
  assert.ok(1.3 < one && one < five, `${one}, ${five}`);
});

Deno.test("viewOf() finds larger blocks to be emptier, and preemptions where memory is short", async () => {
  const sizes = await make("block-size", 200);
  for (const share of [2, 3]) assert.ok(isSorted(column(sizes, share).toReversed()));
  assert.equal(sizes.rows[0]!.here[2], 100);
  for (const { here: [, , recomputes, swaps] } of (await make("preemption", 100)).rows) {
    assert.ok(recomputes! > 0 && swaps! > 0);
  }
});

Deno.test("viewOf() names the differences that there are", async () => {
  for (const name of VIEW_NAMES.slice(0, 3)) {
    const { differences } = await make(name, 5);
    assert.ok(differences.includes("time is modelled, not measured"), name);
    assert.ok(!differences.some((text) => text.includes("in place of")), name);
  }
  const { differences } = await make("prefix", 5);
  assert.ok(differences.includes("opt-13b in place of LLaMA-13B"));
});
