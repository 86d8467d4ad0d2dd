/**
 * What the hash of kernels in results and in remembered tunings is made of.
 *
 * @module
 */
import assert from "node:assert/strict";
import { codeOf } from "../src/gpu/wgsl.ts";
import { KERNELS_TEXT } from "../src/model/gpt2.ts";
import { permitted } from "./permitted.ts";

const WGSL = new URL("../wgsl/", import.meta.url);
/** Kernels that measure the machine and are no part of a model. */
const MEASURING = /^(probe_.*|yardstick)\.wgsl$/;

Deno.test("KERNELS_TEXT holds the code of every kernel of models, and no comment", {
  ignore: !permitted("read"),
}, () => {
  assert.doesNotMatch(KERNELS_TEXT, /\/\/|\/\*|\.wgsl/);
  const names = [...Deno.readDirSync(WGSL)].map(({ name }) => name).filter((name) => name.endsWith(".wgsl"));
  const missing = names.filter((name) =>
    !MEASURING.test(name) && !KERNELS_TEXT.includes(codeOf(Deno.readTextFileSync(new URL(name, WGSL))))
  );
  assert.ok(names.length > 30, `only ${names.length} files`);
  assert.deepEqual(missing, []);
});
