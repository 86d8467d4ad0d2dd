/**
 * What the hash of kernels in results and in remembered tunings is made of.
 *
 * @module
 */
import assert from "node:assert/strict";
import { codeOf } from "../src/gpu/wgsl.ts";
import { KERNELS_TEXT } from "../src/model/gpt2.ts";
import { permitted } from "./permitted.ts";

const ROOTS = [
  "../wgsl/",
  "../src/kv/",
  ...["contiguous", "reserved", "paged"].map((name) => `../src/kv/${name}/`),
];
/** Kernels that measure the machine and are no part of a model. */
const MEASURING = /^(probe_.*|yardstick)\.wgsl$/;

Deno.test("KERNELS_TEXT holds the code of every kernel of models, and no comment", {
  ignore: !permitted("read"),
}, () => {
  assert.doesNotMatch(KERNELS_TEXT, /\/\/|\/\*|\.wgsl/);
  const files = ROOTS.map((root) => new URL(root, import.meta.url)).flatMap((root) =>
    [...Deno.readDirSync(root)].map(({ name }) => new URL(name, root))
  ).filter(({ pathname }) => pathname.endsWith(".wgsl"));
  const names = files.map(({ pathname }) => pathname.split("/").at(-1)!);
  const missing = names.filter((name, i) =>
    !MEASURING.test(name) && !KERNELS_TEXT.includes(codeOf(Deno.readTextFileSync(files[i]!)))
  );
  assert.ok(names.length > 30, `only ${names.length} files`);
  assert.deepEqual(missing, []);
});
