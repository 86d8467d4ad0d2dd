import assert from "node:assert/strict";
import { adviceOf, backendRows } from "./doctor_backend.ts";

Deno.test("adviceOf() tells how Vulkan is had: by a driver, by no longer asking for OpenGL, or by both", () => {
  const linux = { os: "linux", asked: undefined, vulkan: null } as const;
  assert.match(
    adviceOf(linux),
    /at least twice as slowly.* install its driver .*libvulkan1 mesa-vulkan-drivers/,
  );
  assert.match(
    adviceOf({ ...linux, asked: "gl", vulkan: true }),
    /For Vulkan, unset DENO_WEBGPU_BACKEND, which is "gl"$/,
  );
  assert.match(
    adviceOf({ ...linux, asked: "gl", vulkan: false }),
    /unset DENO_WEBGPU_BACKEND.*, and install its driver/,
  );
  assert.match(adviceOf({ ...linux, os: "windows" }), /update the driver of the GPU$/);
});

Deno.test("backendRows() names the backend in use, what others give, and the advice", () => {
  const offers = { vulkan: null, gl: "llvmpipe" };
  assert.deepEqual(backendRows({ in_use: "gl", offers, advice: "Do this" }), [
    ["backend", "OpenGL"],
    ["with Vulkan", "no adapter"],
    ["advice", "Do this"],
  ]);
  assert.deepEqual(backendRows({ in_use: "unknown", offers: null, advice: null }).map(([what]) => what), [
    "backend",
    "other backends",
  ]);
});
