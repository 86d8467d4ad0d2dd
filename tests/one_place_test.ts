/**
 * What stands in one place stands nowhere else: names of storage types where the formats are, and kernels where their
 * operators are.
 */
import assert from "node:assert/strict";
import { DTYPES } from "../src/formats/registry.ts";
import { permitted } from "./permitted.ts";
import { scriptsIn, sourcesIn } from "./sources.ts";

const SRC = new URL("../src/", import.meta.url);

Deno.test("Only src/formats names storage types: everything else asks them", {
  ignore: !permitted("read"),
}, () => {
  const names = new RegExp(`["'](?:${DTYPES.join("|")})["']`);
  const naming = sourcesIn(SRC).filter((file) => names.test(Deno.readTextFileSync(file))).map(({ href }) =>
    href.slice(SRC.href.length)
  );
  assert.deepEqual(naming.sort(), [
    "formats/float16.ts",
    "formats/float32.ts",
    "formats/int4.ts",
    "formats/int8.ts",
    "formats/registry.ts",
    "formats/w8a8.ts",
  ]);
});

Deno.test("Checks build no kernel of their own: they run what operators declare", {
  ignore: !permitted("read"),
}, () => {
  const building = sourcesIn(new URL("check/", SRC)).filter((file) =>
    /\b(?:createKernel|overrides|\w*Code)\b/.test(Deno.readTextFileSync(file))
  );
  // K/V memories have a block size, which is no kernel's but theirs.
  assert.deepEqual(building.map(({ href }) => href.slice(SRC.href.length)), ["check/kv_memory.ts"]);
});

Deno.test("Grids are in the lanes that a kernel has, not in figures", { ignore: !permitted("read") }, () => {
  const files = [...sourcesIn(SRC), ...sourcesIn(new URL("../wgsl/", SRC))];
  const figures = files.filter((file) =>
    /Math\.ceil\([^)]* \/ (?:32|64|128|256)\)/.test(Deno.readTextFileSync(file))
  );
  assert.deepEqual(figures.map(({ pathname }) => pathname), []);
});

Deno.test("No test moves to another folder: a process has one, which tests side by side share", {
  ignore: !permitted("read"),
}, () => {
  const root = new URL("../", import.meta.url);
  const moving = ["src/", "tests/", "tools/", "bench/"].flatMap((folder) => scriptsIn(new URL(folder, root)))
    .filter((file) => /\bchdir\(/.test(Deno.readTextFileSync(file)));
  assert.deepEqual(moving.map(({ href }) => href.slice(root.href.length)), []);
});
