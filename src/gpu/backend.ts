/**
 * The backend of an adapter: the graphics API through which WebGPU reaches it. WebGPU does not tell it, so that this
 * file owns the signs by which it is known in the process. Starts no other process; asks for no adapter.
 *
 * @module
 */
import type { WebGpuName } from "./webgpu.ts";

/** Graphics APIs that WebGPU is made on, the ones that are taken first in front. */
export const BACKENDS = ["vulkan", "metal", "dx12", "gl"] as const;
/** A graphics API that WebGPU is made on. */
export type KnownBackend = typeof BACKENDS[number];
/** A graphics API, or unknown where nothing tells it. */
export type Backend = KnownBackend | "unknown";

/** Names the backends that Deno's WebGPU may take, with commas between them. */
export const BACKEND_VARIABLE = "DENO_WEBGPU_BACKEND";

/** Each backend in words. */
export const BACKEND_TITLES: Readonly<Record<Backend, string>> = {
  vulkan: "Vulkan",
  metal: "Metal",
  dx12: "DirectX 12",
  gl: "OpenGL",
  unknown: "unknown",
};

/** What OpenGL costs, where Vulkan could be had. */
export const GL_COST = "OpenGL compiles kernels about ten times as slowly as Vulkan";

/** How to get a software Vulkan driver by hand. */
export const VULKAN_HINT = "Debian: apt-get install libvulkan1 mesa-vulkan-drivers";

/** The backends that Deno's WebGPU has on an operating system, the ones that are taken first in front. */
export function backendsOn(os: string): readonly KnownBackend[] {
  if (os === "darwin") return ["metal"];
  return os === "windows" ? ["vulkan", "dx12", "gl"] : ["vulkan", "gl"];
}

/** Other names by which wgpu knows backends. */
const ALIASES: Readonly<Record<string, KnownBackend>> = {
  vk: "vulkan",
  mtl: "metal",
  d3d12: "dx12",
  opengl: "gl",
  gles: "gl",
};

/** The backends that a value of {@linkcode BACKEND_VARIABLE} names. An empty one names none. */
export function parseBackends(text: string): KnownBackend[] {
  const names = text.toLowerCase().split(",").map((name) => name.trim());
  return BACKENDS.filter((backend) => names.some((name) => name === backend || ALIASES[name] === backend));
}

/** What an adapter's backend shows in. */
export interface BackendSigns {
  readonly webgpu: WebGpuName;
  readonly os: string;
  /** The adapter's limits by name. */
  readonly limits: Readonly<Record<string, number>>;
  /** The adapter's features. */
  readonly features: readonly string[];
  /** The value of {@linkcode BACKEND_VARIABLE}, as far as it is known. */
  readonly asked?: string | undefined;
}

/** wgpu's `maxBindingsPerBindGroup` on OpenGL; on Vulkan it is 1024 (Deno 2.9). */
const UNBOUNDED = 2 ** 32 - 1;

/**
 * Tells the backend by what is seen in the process. Dawn is asked for Vulkan on Linux, and has only Metal on a Mac.
 * wgpu puts no bound on the bindings of a group on OpenGL, and has no storage in BGRA textures there; where one sign
 * speaks for OpenGL and the other against it, the backend is unknown.
 */
export function backendOf({ webgpu, os, limits, features, asked }: BackendSigns): Backend {
  if (os === "darwin") return "metal";
  if (webgpu === "dawn") return os === "linux" ? "vulkan" : "unknown";
  const left = backendsOn(os).filter((backend) =>
    asked === undefined || parseBackends(asked).includes(backend)
  );
  if (left.length === 1) return left[0]!;
  const unbounded = limits["maxBindingsPerBindGroup"] === UNBOUNDED;
  if (unbounded && features.includes("bgra8unorm-storage")) return "unknown";
  if (unbounded) return "gl";
  const [only, ...others] = left.filter((backend) => backend !== "gl");
  return only !== undefined && others.length === 0 ? only : "unknown";
}

/** Tells whether two records can be of one backend: older ones do not name it. */
export function mayBeSameBackend(a: Backend, b: Backend): boolean {
  return a === b || a === "unknown" || b === "unknown";
}
