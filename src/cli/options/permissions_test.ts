/** Tests of the least permissions of a program that does not run in a checkout. */
import assert from "node:assert/strict";
import { PERMISSIONS, permissionsAt } from "./permissions.ts";

const SERVED = new URL("http://127.0.0.1:8000/kv/");

Deno.test("permissionsAt() asks for the server that holds the weights, in place of their folder", () => {
  assert.deepEqual(permissionsAt("generate", SERVED), ["--allow-net=127.0.0.1:8000"]);
  assert.deepEqual(permissionsAt("serve", SERVED), ["--allow-net=127.0.0.1:8000,127.0.0.1"]);
  assert.deepEqual(permissionsAt("logits", SERVED), [
    "--allow-net=127.0.0.1:8000",
    "--allow-read=FOLDER",
    "--allow-write=FOLDER",
  ]);
});

Deno.test("permissionsAt() leaves alone what needs no weights", () => {
  for (const name of ["compare", "report", "load", "weights"]) {
    assert.deepEqual(permissionsAt(name, SERVED), PERMISSIONS[name]);
  }
});

Deno.test("permissionsAt() names the folder of weights beside a bundle on disk", {
  ignore: Deno.build.os === "windows",
}, () => {
  assert.deepEqual(permissionsAt("perplexity", new URL("file:///opt/kvbench/")), [
    "--allow-read=/opt/kvbench/weights,FILE",
  ]);
});
