import assert from "node:assert/strict";
import { StartTimes } from "./start_times.ts";

Deno.test("StartTimes splits the time until the first token into parts that add up to it", () => {
  const times = new StartTimes({ loadMs: { weights: 1, kernels: 2 } });
  times.ready();
  times.token();
  times.token();
  const [total, ...parts] = [...times.say(1).matchAll(/([\d.]+) (m?s)/g)]
    .map(([, value, unit]) => Number(value) * (unit === "s" ? 1000 : 1)) as [number, ...number[]];
  assert.equal(parts.length, 4);
  const sum = parts.reduce((a, b) => a + b);
  assert.ok(Math.abs(sum - total) <= 0.01 * total, `${sum}, ${total}`); // three digits are said
  assert.match(times.say(9), /; then [\d.]+(e\+\d+)? tokens\/s$/);
});
