import assert from "node:assert/strict";
import { fixtureResult } from "../../tests/fixtures/result.ts";
import { sayKind } from "./adapter_kind.ts";
import { rowsOf } from "./rows.ts";
import { sentences } from "./sentences.ts";

Deno.test("sayKind() names the backend where it is known", () => {
  assert.equal(sayKind({ software: true, backend: "gl" }, "hardware"), "software, OpenGL");
  assert.equal(sayKind({ software: false, backend: "dx12" }, "a GPU"), "a GPU, DirectX 12");
  assert.equal(sayKind({ software: true, backend: "unknown" }, "hardware", "a CPU"), "a CPU");
});

Deno.test("A result through OpenGL says so in its sentences and rows, another one does not", () => {
  const result = fixtureResult();
  const cautions = () => sentences(result).filter((text) => /through OpenGL/.test(text)).length;
  assert.deepEqual([cautions(), rowsOf(result)[0]!["backend"]], [0, "vulkan"]);
  result.environment.adapter.backend = "gl";
  assert.deepEqual([cautions(), rowsOf(result)[0]!["backend"]], [1, "gl"]);
});
