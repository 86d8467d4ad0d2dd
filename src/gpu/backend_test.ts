import assert from "node:assert/strict";
import { backendOf, type BackendSigns, mayBeSameBackend, parseBackends } from "./backend.ts";

const VULKAN: BackendSigns = {
  webgpu: "deno",
  os: "linux",
  limits: { maxBindingsPerBindGroup: 1024 },
  features: ["bgra8unorm-storage", "shader-f16"],
};
const OPENGL: BackendSigns = {
  ...VULKAN,
  limits: { maxBindingsPerBindGroup: 2 ** 32 - 1 },
  features: ["timestamp-query"],
};

Deno.test("backendOf() tells OpenGL from Vulkan on Linux by the bindings that a group may have", () => {
  assert.equal(backendOf(VULKAN), "vulkan");
  assert.equal(backendOf(OPENGL), "gl");
});

Deno.test("backendOf() is unknown where the signs contradict each other or do not suffice", () => {
  assert.equal(backendOf({ ...OPENGL, features: VULKAN.features }), "unknown");
  assert.equal(backendOf({ ...VULKAN, os: "windows" }), "unknown");
  assert.equal(backendOf({ ...OPENGL, os: "windows" }), "gl");
  assert.equal(backendOf({ ...VULKAN, os: "windows", webgpu: "dawn" }), "unknown");
});

Deno.test("backendOf() believes a variable that leaves one backend", () => {
  assert.equal(backendOf({ ...VULKAN, os: "windows", asked: "dx12" }), "dx12");
  assert.equal(backendOf({ ...VULKAN, os: "windows", asked: "dx12,gl" }), "dx12");
  assert.equal(backendOf({ ...VULKAN, os: "windows", asked: "dx12,vulkan" }), "unknown");
  assert.equal(backendOf({ ...OPENGL, asked: "gl" }), "gl");
  assert.equal(backendOf({ ...VULKAN, asked: "vulkan,gl" }), "vulkan");
});

Deno.test("backendOf() knows what Dawn is asked for, and that a Mac has Metal alone", () => {
  assert.equal(backendOf({ ...VULKAN, webgpu: "dawn" }), "vulkan");
  for (const webgpu of ["deno", "dawn"] as const) {
    assert.equal(backendOf({ ...VULKAN, webgpu, os: "darwin" }), "metal");
  }
});

Deno.test("parseBackends() reads names as wgpu does, and knows none in an empty value", () => {
  assert.deepEqual(parseBackends("GL, vk"), ["vulkan", "gl"]);
  assert.deepEqual(parseBackends("opengl"), ["gl"]);
  assert.deepEqual(parseBackends("d3d12,mtl"), ["metal", "dx12"]);
  assert.deepEqual(parseBackends(""), []);
  assert.deepEqual(parseBackends("constructor"), []);
});

Deno.test("mayBeSameBackend() lets an unknown backend be any", () => {
  assert.ok(
    mayBeSameBackend("gl", "gl") && mayBeSameBackend("unknown", "gl") && mayBeSameBackend("gl", "unknown"),
  );
  assert.ok(!mayBeSameBackend("gl", "vulkan"));
});
