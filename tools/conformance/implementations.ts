/**
 * The implementations of WebGPU, on drivers and graphics APIs, that kvbench is held against, and how a child process
 * gets each of them.
 */
import { BACKEND_VARIABLE, type KnownBackend } from "../../src/gpu/backend.ts";
import type { WebGpuName } from "../../src/gpu/webgpu.ts";
import { swiftShader } from "./swiftshader.ts";

/** WebGPU on a driver. */
export interface Implementation {
  /** A key for files and options. */
  readonly id: string;
  /** As tables call it. */
  readonly title: string;
  readonly webgpu: WebGpuName;
  readonly backend: KnownBackend;
  /** The driver: the system's own, or SwiftShader. */
  readonly driver: "system" | "swiftshader";
  /** Marks slow compilers, which get the quick self-test and the tests of single kernels. */
  readonly slow?: true;
}

/** Every implementation, in the order of tables. */
export const IMPLEMENTATIONS: readonly Implementation[] = [
  { id: "wgpu-lavapipe", title: "wgpu, lavapipe", webgpu: "deno", backend: "vulkan", driver: "system" },
  { id: "wgpu-opengl", title: "wgpu, OpenGL", webgpu: "deno", backend: "gl", driver: "system", slow: true },
  {
    id: "wgpu-swiftshader",
    title: "wgpu, SwiftShader",
    webgpu: "deno",
    backend: "vulkan",
    driver: "swiftshader",
  },
  // Mesa 22.3's lavapipe lacks shaderUniformBufferArrayDynamicIndexing, without which Dawn takes no adapter.
  {
    id: "dawn-swiftshader",
    title: "Dawn, SwiftShader",
    webgpu: "dawn",
    backend: "vulkan",
    driver: "swiftshader",
  },
];

/**
 * Returns the environment variables of a child.
 *
 * @throws {Error} If SwiftShader can't be had here.
 */
export async function environmentOf(
  { webgpu, backend, driver }: Implementation,
): Promise<Record<string, string>> {
  const icd = driver === "swiftshader" ? await swiftShader() : undefined;
  return {
    KVBENCH_WEBGPU: webgpu,
    [BACKEND_VARIABLE]: backend,
    XDG_RUNTIME_DIR: Deno.env.get("XDG_RUNTIME_DIR") ?? "/tmp",
    NO_COLOR: "1",
    ...(icd !== undefined && { VK_DRIVER_FILES: icd, VK_ICD_FILENAMES: icd }), // the loader's new name and its old one
  };
}
