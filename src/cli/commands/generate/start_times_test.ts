import assert from "node:assert/strict";
import { StartTimes } from "./start_times.ts";

function startTimes(remembered: boolean): StartTimes {
  const times = new StartTimes({ loadMs: { weights: 1, kernels: 2 } }, { locateMs: 3, remembered });
  times.ready();
  times.token();
  times.token();
  return times;
}

Deno.test("StartTimes splits the time until the first token into parts that add up to it", () => {
  const times = startTimes(false);
  const [line] = times.say(1, "full").split("\n");
  const [total, ...parts] = [...line!.matchAll(/([\d.]+) (m?s)/g)]
    .map(([, value, unit]) => Number(value) * (unit === "s" ? 1000 : 1)) as [number, ...number[]];
  assert.equal(parts.length, 5);
  const sum = parts.reduce((a, b) => a + b);
  assert.ok(Math.abs(sum - total) <= 0.01 * total, `${sum}, ${total}`); // three digits are said
  assert.match(times.say(9, "full").split("\n")[0]!, /; then [\d.]+(e\+\d+)? tokens\/s$/);
});

Deno.test("StartTimes says whether the start was cold or warm, and whether variants were remembered", () => {
  assert.match(
    startTimes(false).say(1, "empty"),
    /\nA cold start: .* was empty; default kernel variants, as none/,
  );
  assert.match(startTimes(true).say(1, "full"), /\nA warm start: .*; kernel variants were remembered$/);
});
