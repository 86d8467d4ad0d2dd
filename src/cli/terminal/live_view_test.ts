import assert from "node:assert/strict";
import { fixtureResult } from "../../../tests/fixtures/result.ts";
import { FakeTerminal } from "../../../tests/fixtures/terminal.ts";
import { groupsOf } from "../../measure/run/grid.ts";
import { Display } from "./display.ts";
import { type LiveState, liveView, renderLive } from "./live_view.ts";

const { plan } = fixtureResult({ grid: { batch: [2, 4] } });
const groups = groupsOf(plan);
const timing = { ttft_ms: 5, e2e_ms: 100, encode_ms: 1, yardstick_ms: 7 };

const STATE: LiveState = {
  plan: { runs: null, target_ci: 0.05, max_seconds: 30 },
  index: 1,
  groups: 4,
  cells: groups[1]!,
  doing: { what: "run", cell: 1 },
  soFar: { timings: [[timing, timing, timing], [timing, timing], []], seconds: 10 },
  finished: 1,
  elapsed: 52,
  began: 40,
};

Deno.test("renderLive() says what runs, what the runs came to, and how long it may still take", () => {
  assert.deepEqual(renderLive(STATE, 100), [
    "[2/4] 25 prompt + 50 new tokens, batch 4",
    "  no-cache  100 ms ±0 %, 3 runs",
    "▸ kv-cache  100 ms, 2 runs  run",
    "  paged",
    "  0:52 elapsed, at most 1:40 of runs left", // 20 s of this group's budget, and 2 groups as long as the first
  ]);
  const counted = { ...STATE, plan: { ...STATE.plan, runs: 9 }, index: 3 };
  assert.match(renderLive(counted, 100).at(-1)!, /about 0:20 of runs left/); // 6 rounds of 10 s / 3
});

Deno.test("renderLive() keeps to the terminal's width", () => {
  for (const line of renderLive(STATE, 20)) assert.ok([...line].length <= 20, line);
});

Deno.test("liveView() redraws in place, leaves nothing behind, and is silent without a terminal", () => {
  const screen = new FakeTerminal(80);
  const view = liveView(new Display(screen), plan);
  view.group(0, 2, groups[0]!);
  view.run("memory", 0);
  view.run("run", 1);
  assert.deepEqual(screen.lines().map((line) => line.replace(/\d:\d\d elapsed.*/, "…")), [
    "[1/2] 25 prompt + 50 new tokens, batch 2",
    "  no-cache",
    "▸ kv-cache    run",
    "  paged",
    "  …",
  ]);
  view.clear();
  assert.deepEqual(screen.lines(), []);
  const silent = liveView(undefined, plan);
  silent.group(0, 2, groups[0]!);
  silent.run("run", 1);
  silent.clear();
});

Deno.test("liveView() says every ten seconds how far it is where there is no terminal", () => {
  let ms = 0;
  const lines: string[] = [];
  const view = liveView(undefined, { ...plan, runs: null }, {
    say: (line) => lines.push(line),
    now: () => ms,
  });
  view.group(0, 1, groups[0]!);
  for (; ms <= 25_000; ms += 100) view.run("run", 0);
  view.clear();
  assert.deepEqual(lines, [
    "Measuring 25 prompt + 50 new tokens, batch 2: 0:10 elapsed, at most 0:30 of runs left",
    "Measuring 25 prompt + 50 new tokens, batch 2: 0:20 elapsed, at most 0:30 of runs left",
  ]);
});
