import assert from "node:assert/strict";
import { firstTokenMs, sayStarts } from "./start_check.ts";
import { StartTimes } from "../generate/start_times.ts";

Deno.test("firstTokenMs() reads what StartTimes says", () => {
  const times = new StartTimes({ loadMs: { weights: 1, kernels: 1 } }, { locateMs: 1, remembered: false });
  times.ready();
  times.token();
  const said = times.say(1, "full");
  assert.ok(Math.abs(firstTokenMs(`something else\n${said}`)! - performance.now()) < 1000, said);
  assert.equal(firstTokenMs("First token after 1.50 s: start"), 1500);
  assert.equal(firstTokenMs("kvbench: no adapter"), undefined);
});

Deno.test("sayStarts() says why a start was not measured", () => {
  const { cold, warm } = sayStarts({ not_measured: "starting child processes needs --allow-run" });
  assert.equal(cold, "not measured: starting child processes needs --allow-run");
  assert.equal(warm, cold);
  assert.match(sayStarts({ cold_ms: null, warm_ms: 700 }).cold, /^not measured/);
  assert.match(sayStarts({ cold_ms: 3000, warm_ms: 700 }).cold, /^first token after 3000 ms|3\.00 s/);
});
