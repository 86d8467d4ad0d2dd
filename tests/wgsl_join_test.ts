/** Every WGSL file says what it requires: joined with that, and with nothing else, it is valid. */
import assert from "node:assert/strict";
import { joinWgsl } from "../src/gpu/join.ts";
import { hasSubgroups, subgroupDirectives } from "../src/gpu/subgroups.ts";
import { renamed, type WgslFile } from "../src/gpu/wgsl.ts";
import { gpuTest } from "./gpu_support.ts";
import { permitted } from "./permitted.ts";
import { filesIn } from "./sources.ts";

const FOLDERS = ["../wgsl/", "../src/kv/"].map((path) => new URL(path, import.meta.url));
const DIRECTIVES = "subgroups.wgsl";

/** All files, and formats as they are joined for K and for V; of those that fill a role the first one is taken. */
function library(): WgslFile[] {
  const files = FOLDERS.flatMap((folder) => filesIn(folder, ".wgsl")).map((file) => ({
    name: file.pathname.split("/").at(-1)!,
    code: Deno.readTextFileSync(file),
  })).filter(({ name }) => name !== DIRECTIVES).sort((a, b) => a.name < b.name ? -1 : 1);
  const as = (name: string, part: string) => renamed(files.find((file) => file.name === name)!, "kv", part);
  return [...files, as("kv_f16.wgsl", "k"), as("kv_int4.wgsl", "v")];
}

gpuTest("Every WGSL file compiles with what it requires", async ({ device }) => {
  const files = library();
  assert.ok(files.length > 45, `only ${files.length} files`);
  const wrong: string[] = [];
  for (const file of files) {
    const usesSubgroups = /\bsubgroup[A-Z]/.test(file.code);
    if (usesSubgroups && !hasSubgroups(device)) continue;
    const directives = usesSubgroups ? await subgroupDirectives(device) : [];
    const joined = [...directives, ...joinWgsl([file], files)];
    device.pushErrorScope("validation");
    device.createShaderModule({ label: file.name, code: joined.map(({ code }) => code).join("\n") });
    const error = await device.popErrorScope();
    if (error) wrong.push(`${joined.map(({ name }) => name).join(" + ")}: ${error.message}`);
  }
  assert.deepEqual(wrong, []);
}, { needs: ["read"] });

Deno.test(
  "joinWgsl() puts files behind what they require, each once, and chosen ones in the place of others",
  {
    ignore: !permitted("read"),
  },
  () => {
    const fragment = (name: string, head: string) => ({ name, code: `// ${head}\n` });
    const main = fragment("main.wgsl", "requires: x, base.wgsl"), base = fragment("base.wgsl", "One line");
    const near = fragment("near.wgsl", "provides: x"),
      far = fragment("far.wgsl", "provides: x\n// requires: base.wgsl");
    const names = (chosen: readonly WgslFile[]) => joinWgsl(chosen, [near, base]).map(({ name }) => name);
    assert.deepEqual(names([main]), ["near.wgsl", "base.wgsl", "main.wgsl"]);
    assert.deepEqual(names([main, far]), ["base.wgsl", "far.wgsl", "main.wgsl"]);
    assert.throws(() => joinWgsl([main], [base]), /main\.wgsl requires x: expected a file that is that/);
    const one = fragment("one.wgsl", "requires: two.wgsl"), two = fragment("two.wgsl", "requires: one.wgsl");
    assert.deepEqual(joinWgsl([one, two], []).map(({ name }) => name), ["two.wgsl", "one.wgsl"]);
  },
);
