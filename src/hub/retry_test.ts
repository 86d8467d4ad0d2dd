import assert from "node:assert/strict";
import { KvbenchError } from "../base/errors.ts";
import { PassingError } from "./http.ts";
import { retrying } from "./retry.ts";

const OPTIONS = { tries: 3, firstPauseMs: 1, maxPauseMs: 50 };

Deno.test("retrying() pauses twice as long each time, and gives up after so many tries", async () => {
  const pauses: number[] = [];
  const failing = retrying(() => Promise.reject(new PassingError("no")), OPTIONS, (_, ms) => pauses.push(ms));
  await assert.rejects(failing, { message: "no (tried 3 times)" });
  assert.deepEqual(pauses, [1, 2]);
});

Deno.test("retrying() does as a server asks, unless that is too long", async () => {
  const pauses: number[] = [];
  const wishes = [7, 51];
  const failing = retrying(
    () => Promise.reject(new PassingError("busy", wishes.shift())),
    OPTIONS,
    (_, ms) => pauses.push(ms),
  );
  await assert.rejects(failing, { message: "busy" });
  assert.deepEqual(pauses, [7]);
});

Deno.test("retrying() begins to count anew after progress, and doesn't retry what won't pass", async () => {
  let tries = 0;
  const done = await retrying((progressed) => {
    tries++;
    if (tries === 2) progressed();
    return tries < 5 ? Promise.reject(new PassingError("no")) : Promise.resolve("done");
  }, { ...OPTIONS, tries: 4 });
  assert.deepEqual([done, tries], ["done", 5]);

  let fatal = 0;
  const failing = retrying(() => {
    fatal++;
    return Promise.reject(new KvbenchError("never"));
  }, OPTIONS);
  await assert.rejects(failing, { message: "never" });
  assert.equal(fatal, 1);
});
