/** What the hash of kernels in results and in remembered tunings is made of. */
import assert from "node:assert/strict";
import { codeOf } from "../src/gpu/wgsl.ts";
import { KERNELS_TEXT } from "../src/model/gpt2.ts";
import { permitted } from "./permitted.ts";
import { filesIn } from "./sources.ts";

/** Folders of what a model is made of; `wgsl/probes` measures the machine. */
const FOLDERS = ["../wgsl/lib/", "../wgsl/ops/", "../src/kv/"];

Deno.test("KERNELS_TEXT holds the code of every kernel of models, and no comment", {
  ignore: !permitted("read"),
}, () => {
  assert.doesNotMatch(KERNELS_TEXT, /\/\/|\/\*|\.wgsl/);
  const files = FOLDERS.flatMap((folder) => filesIn(new URL(folder, import.meta.url), ".wgsl"));
  const missing = files.filter((file) => !KERNELS_TEXT.includes(codeOf(Deno.readTextFileSync(file))));
  assert.ok(files.length > 30, `only ${files.length} files`);
  assert.deepEqual(missing.map(({ pathname }) => pathname), []);
});
