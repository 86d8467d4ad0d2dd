import assert from "node:assert/strict";
import { sweepOption, swept } from "./sweep.ts";

Deno.test("sweepOption() gathers one setting after another", () => {
  const once = sweepOption("batch=1, 2,4");
  assert.deepEqual(once, { batch: [1, 2, 4] });
  assert.deepEqual(sweepOption("kv-dtype=int8,f32"), { kv_dtype: ["int8", "f32"] });
  assert.deepEqual(sweepOption("kv-dtype=int8,int8/int4"), { kv_dtype: ["int8", "int8/int4"] });
  assert.deepEqual(sweepOption("v-dtype=f16,int4", { k_dtype: ["int8"] }), {
    k_dtype: ["int8"],
    v_dtype: ["f16", "int4"],
  });
  assert.deepEqual(sweepOption("growth=static,dynamic", once), {
    batch: [1, 2, 4],
    growth: ["static", "dynamic"],
  });
  for (const name of swept()) if (!/growth|dtype|allocator/.test(name)) sweepOption(`${name}=1`);
});

Deno.test("sweepOption() refuses what can't be swept, with what can", () => {
  const refused: readonly (readonly [string, RegExp])[] = [
    ["colour=1", /Expected NAME=VALUES.*prompt-tokens.*kv-capacity.*block-size.* or [a-z-]+$/],
    ["constructor=1", /Expected NAME=VALUES/],
    ["batch", /Expected NAME=VALUES/],
    ["kv-dtype=int8/int9", /"int8\/int9" is unknown: expected f32, .*, or K's and V's with a slash/],
    ["kv-dtype=int8/int8", /is unknown/],
    ["batch=", /whole number/],
    ["batch=1=2", /Expected NAME=VALUES/],
    ["batch=0", /from 1 to 1024/],
    ["batch=2,2", /stands twice/],
    ["growth=slow", /expected static, dynamic/],
  ];
  for (const [text, message] of refused) {
    assert.throws(() => sweepOption(text), { code: "commander.invalidArgument", message });
  }
  assert.throws(() => sweepOption("batch=1", { batch: [2] }), { message: "batch is swept twice" });
});
