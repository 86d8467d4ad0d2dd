import assert from "node:assert/strict";
import { Pace } from "./pace.ts";

Deno.test("Pace gives the speed of the last seconds, and what is left at that speed", () => {
  let now = 0;
  const pace = new Pace(1000, 200, () => now);
  assert.equal(pace.perSecond, undefined);
  assert.equal(pace.secondsLeft, undefined);
  for (now = 10; now <= 2000; now += 10) pace.update(200 + now / 10);
  now = 2000;
  pace.update(400);
  assert.equal(pace.perSecond, 100); // what was there at the start is no speed
  assert.equal(pace.secondsLeft, 6);
  for (; now <= 10_000; now += 10) pace.update(400 + (now - 2000) / 100);
  assert.ok(Math.abs(pace.perSecond! - 10) < 0.5, `${pace.perSecond}: the fast start is forgotten`);
});

Deno.test("Pace gives no time left where nothing moves", () => {
  let now = 0;
  const pace = new Pace(10, 0, () => now);
  now = 1000;
  pace.update(0);
  assert.equal(pace.perSecond, 0);
  assert.equal(pace.secondsLeft, undefined);
});
