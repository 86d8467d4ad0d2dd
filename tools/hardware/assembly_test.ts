import assert from "node:assert/strict";
import { loadsInFlight } from "./assembly.ts";

Deno.test("loadsInFlight() counts loads until a wait, which may leave some under way", () => {
  const load = "\tbuffer_load_dwordx4 v[0:3], v8, s[12:15], 0 offen ; e0381000 80030000";
  const wait = (left: number) => `\ts_waitcnt vmcnt(${left}) ; bf8c3f70`;
  assert.equal(loadsInFlight("BB0:\n\ts_buffer_load_dword s0, s[0:3], 0"), 0);
  assert.equal(loadsInFlight([load, load, wait(0), load].join("\n")), 2);
  assert.equal(loadsInFlight([load, load, wait(1), load, load].join("\n")), 3);
  assert.equal(loadsInFlight([load, "\ts_waitcnt lgkmcnt(0)", load].join("\n")), 2);
});
