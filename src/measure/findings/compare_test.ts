import assert from "node:assert/strict";
import { fixtureResult } from "../../../tests/fixtures/result.ts";
import { runs } from "../../../tests/fuzz.ts";
import { compareResults, regressions } from "./compare.ts";
import type { CellPlan } from "../run/grid.ts";
import { groupsOf } from "../run/grid.ts";
import { latencies } from "../run/group.ts";
import { seededRandom } from "../../base/random.ts";
import type { BenchResult } from "../record/result.ts";
import { takeTurns } from "../run/turns.ts";

const THRESHOLD = 0.05;

/** A made-up machine: its speed wanders, and each run is disturbed on its own. */
interface Machine {
  readonly seed: number;
  /** Its speed against a machine of speed 1. */
  readonly speed: number;
  /** Share of time by which a strategy got slower. */
  readonly slowed?: Readonly<Record<string, number>>;
}

/** A result of the real schedule and the real statistics on a machine whose clock is simulated. */
async function measureOn({ seed, speed, slowed = {} }: Machine): Promise<BenchResult> {
  const result = fixtureResult();
  const cells = groupsOf(result.plan)[0]!;
  const random = seededRandom(seed);
  let now = 0, wandering = 1;
  const turns = await takeTurns({
    cells: cells.length,
    seed,
    stopping: { runs: null, target_ci: 0.015, max_seconds: 60 },
    now: () => now,
    time: (i) => {
      wandering = Math.min(1.1, Math.max(0.9, wandering * (0.98 + 0.04 * random())));
      const factor = wandering / speed;
      const own = () => 0.96 + 0.08 * random() + (random() < 0.05 ? 0.3 : 0); // now and then something cuts in
      const base = [800, 350, 360][i]! * (slowed[cells[i]!.strategy] ?? 1);
      const e2e_ms = base * factor * own();
      now += e2e_ms;
      return Promise.resolve({
        ttft_ms: 0.04 * e2e_ms * own(),
        e2e_ms,
        encode_ms: 1,
        yardstick_ms: 7 * factor * (0.97 + 0.06 * random()),
      });
    },
  });
  result.cells.forEach((cell, i) => Object.assign(cell, latencies(cell, turns.timings[i]!, seed)));
  return result;
}

function verdicts(before: BenchResult, after: BenchResult): string[] {
  return compareResults(before, after, THRESHOLD).pairs.flatMap(({ cell, metrics }) =>
    metrics.map(({ metric, verdict }) => `${cell.strategy} ${metric}: ${verdict}`)
  );
}

Deno.test("The same measured twice is no difference, on a machine that is slower, faster or as fast the second time", async () => {
  for (let seed = 1; seed <= runs(2); seed++) {
    const before = await measureOn({ seed, speed: 1 });
    for (const speed of [1, 0.85, 1.2]) {
      const after = await measureOn({ seed: 100 + seed, speed });
      for (const verdict of verdicts(before, after)) {
        assert.match(verdict, /no difference$/, `speed ${speed}`);
      }
    }
  }
});

Deno.test("A strategy that takes 10 % longer is slower, it alone, and is a regression", async () => {
  for (let seed = 1; seed <= runs(2); seed++) {
    const before = await measureOn({ seed, speed: 1 });
    const after = await measureOn({ seed: 200 + seed, speed: 1, slowed: { paged: 1.1 } });
    const found = verdicts(before, after);
    assert.ok(
      found.includes("paged tpot_ms: slower") && found.includes("paged e2e_ms: slower"),
      found.join("\n"),
    );
    for (const verdict of found) if (!verdict.startsWith("paged")) assert.match(verdict, /no difference$/);
    const worse = regressions(compareResults(before, after, THRESHOLD), 0.05);
    assert.ok(worse.length > 0 && worse.every(({ cell }) => cell.strategy === "paged"));
    const back = verdicts(after, before);
    assert.ok(back.includes("paged tpot_ms: faster"));
  }
});

Deno.test("compareResults() does not divide by the yardstick where the machines are not the same", () => {
  const [here, there] = [fixtureResult(), fixtureResult({ software: false, seed: 5 })];
  there.cells.forEach((cell) => cell.yardstick_ms = cell.yardstick_ms.map((ms) => ms / 100));
  const { pairs, machine, differences } = compareResults(here, there, THRESHOLD);
  assert.equal(machine, null);
  for (const { metrics } of pairs) {
    for (const each of metrics) assert.deepEqual([each.byYardstick, each.byOthers], [null, null]);
  }
  assert.match(differences.join("; "), /^adapter: llvmpipe .* before, NVIDIA .* after$/);
});

Deno.test("compareResults() takes another backend for another machine, and lets an unknown one be any", () => {
  const [vulkan, other] = [fixtureResult(), fixtureResult()];
  other.environment.adapter.backend = "gl";
  const changed = compareResults(vulkan, other, THRESHOLD);
  assert.equal(changed.machine, null);
  assert.deepEqual(changed.differences, ["backend: Vulkan before, OpenGL after"]);
  other.environment.adapter.backend = "unknown";
  assert.notEqual(compareResults(vulkan, other, THRESHOLD).machine, null);
});

Deno.test("compareResults() matches cells by their settings, and tells of the others", () => {
  const before = fixtureResult({ grid: { block_size: [8, 16] } });
  const after = fixtureResult({ grid: { block_size: [16, 32] }, strategies: ["paged", "no-cache"] });
  const { pairs, missing, added } = compareResults(before, after, THRESHOLD);
  const said = (cells: readonly CellPlan[]) =>
    cells.map(({ strategy, settings }) => `${strategy} ${settings.block_size ?? null}`);
  assert.deepEqual(said(pairs.map(({ cell }) => cell)), ["no-cache null", "paged 16"]);
  assert.deepEqual(said(missing), ["kv-cache null", "paged 8"]);
  assert.deepEqual(said(added), ["paged 32"]);
});

Deno.test("regressions() counts a higher peak of memory, and other tokens are told of", () => {
  const [before, after] = [fixtureResult(), fixtureResult()];
  after.cells[1]!.memory.peak_bytes.total *= 1.2;
  after.cells[1]!.token_ids[0]![3]! += 1;
  const comparison = compareResults(before, after, THRESHOLD);
  assert.deepEqual(regressions(comparison, 0.05).map(({ what }) => what), ["peak memory"]);
  assert.deepEqual(regressions(comparison, 0.3), []);
  assert.deepEqual(comparison.pairs.map(({ sameIds }) => sameIds), [true, false, true]);
});
