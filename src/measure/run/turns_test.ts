import assert from "node:assert/strict";
import { seededRandom } from "../../base/random.ts";
import type { Timing, Unfinished } from "../record/result.ts";
import { type Stopping, takeTurns, type TurnsOptions, warmUp } from "./turns.ts";

const timing = (e2e_ms: number): Timing => ({ ttft_ms: 1, e2e_ms, encode_ms: 0, yardstick_ms: 1 });

/** Cells that take 1000 ms on a clock that only they move; `noise` is a factor around 1. */
function simulated(stopping: Partial<Stopping>, noise: () => number): TurnsOptions & { calls: number[] } {
  let clock = 0;
  const calls: number[] = [];
  return {
    cells: 3,
    seed: 4,
    stopping: { runs: null, target_ci: 0.05, max_seconds: 600, ...stopping },
    now: () => clock,
    calls,
    time: (cell) => {
      calls.push(cell);
      const ms = 1000 * noise();
      clock += ms;
      return Promise.resolve(timing(ms));
    },
  };
}

Deno.test("takeTurns() times every cell once a round, in an order that the seed decides", async () => {
  const options = simulated({ runs: 8 }, () => 1);
  const { timings, order, stopped } = await takeTurns(options);
  assert.equal(stopped, "runs");
  assert.deepEqual(timings.map(({ length }) => length), [8, 8, 8]);
  assert.deepEqual(options.calls, order.flat());
  for (const round of order) assert.deepEqual(round.toSorted(), [0, 1, 2]);
  assert.ok(new Set(order.map(String)).size > 2);
  assert.deepEqual((await takeTurns(simulated({ runs: 8 }, () => 1))).order, order);
});

Deno.test("takeTurns() stops when the medians are precise, and not before 5 rounds", async () => {
  const quiet = await takeTurns(simulated({}, () => 1));
  assert.deepEqual([quiet.stopped, quiet.order.length], ["precise", 5]);
  const random = seededRandom(2);
  const noisy = await takeTurns(simulated({}, () => 0.8 + 0.4 * random()));
  assert.equal(noisy.stopped, "precise");
  assert.ok(noisy.order.length > 8, `${noisy.order.length} rounds`);
});

Deno.test("takeTurns() begins no round after its time, but makes one", async () => {
  const random = seededRandom(2);
  const noise = () => 0.5 + random();
  const { stopped, order, seconds } = await takeTurns(
    simulated({ max_seconds: 10, target_ci: 0.001 }, noise),
  );
  assert.equal(stopped, "time");
  assert.ok(seconds >= 10 && seconds < 15 && order.length >= 3);
  assert.equal((await takeTurns(simulated({ max_seconds: 0.1 }, () => 1))).order.length, 1);
  assert.equal((await takeTurns(simulated({ max_seconds: 0.1, least: 4 }, noise))).order.length, 4);
});

Deno.test("takeTurns() goes on after an interruption as if there had been none", async () => {
  const whole = await takeTurns(simulated({ runs: 7 }, () => 1));
  const stop = new Error("stop");
  let kept: Unfinished | undefined;
  const cut = {
    ...simulated({ runs: 7 }, () => 1),
    onRound: (soFar: Unfinished) => {
      kept = structuredClone(soFar);
      if (soFar.order.length === 3) throw stop;
    },
  };
  await assert.rejects(takeTurns(cut), stop);
  const rest = simulated({ runs: 7 }, () => 1);
  const resumed = await takeTurns({ ...rest, earlier: kept });
  assert.equal(rest.calls.length, 4 * 3);
  assert.deepEqual(resumed, whole);
});

Deno.test("warmUp() ends when three runs are alike, or after six, or as told", async () => {
  const from = (values: number[]) => () => Promise.resolve(values.shift()!);
  assert.deepEqual(await warmUp(from([50, 30, 20, 20.5, 21]), null, 30), {
    e2e_ms: [50, 30, 20, 20.5, 21],
    steady: true,
  });
  const never = await warmUp(from([10, 20, 10, 20, 10, 20, 10]), null, 30);
  assert.deepEqual([never.e2e_ms.length, never.steady], [6, false]);
  assert.deepEqual(await warmUp(from([9000]), null, 30), { e2e_ms: [9000], steady: false });
  assert.deepEqual(await warmUp(from([]), 0, 30), { e2e_ms: [], steady: false });
  assert.equal((await warmUp(from([1, 1, 1, 1]), 2, 30)).e2e_ms.length, 2);
});
