/**
 * The backend of an adapter: the graphics API through which WebGPU reaches it. WebGPU does not tell it; this file infers
 * it from signs within the process. Starts no other process; asks for no adapter.
 */
import type { WebGpuName } from "./webgpu.ts";

/** Graphics APIs under WebGPU, preferred ones first. */
export const BACKENDS = ["vulkan", "metal", "dx12", "gl"] as const;
/** A graphics API under WebGPU. */
export type KnownBackend = typeof BACKENDS[number];
/** A graphics API; unknown if no sign tells it. */
export type Backend = KnownBackend | "unknown";

/** Environment variable with the backends that Deno's WebGPU may use, separated by commas. */
export const BACKEND_VARIABLE = "DENO_WEBGPU_BACKEND";

/** Each backend in words. */
export const BACKEND_TITLES: Readonly<Record<Backend, string>> = {
  vulkan: "Vulkan",
  metal: "Metal",
  dx12: "DirectX 12",
  gl: "OpenGL",
  unknown: "unknown",
};

/** Cost of OpenGL in comparison with Vulkan, for messages. */
export const GL_COST = "OpenGL compiles kernels at least twice as slowly as Vulkan";

/** Installation of a software Vulkan driver, for messages. */
export const VULKAN_HINT = "Debian: apt-get install libvulkan1 mesa-vulkan-drivers";

/** Returns the backends of Deno's WebGPU on an operating system, preferred ones first. */
export function backendsOn(os: string): readonly KnownBackend[] {
  if (os === "darwin") return ["metal"];
  return os === "windows" ? ["vulkan", "dx12", "gl"] : ["vulkan", "gl"];
}

/** Other names of wgpu's for backends. */
const ALIASES: Readonly<Record<string, KnownBackend>> = {
  vk: "vulkan",
  mtl: "metal",
  d3d12: "dx12",
  opengl: "gl",
  gles: "gl",
};

/** Returns the backends in a value of {@linkcode BACKEND_VARIABLE}; none if it is empty. */
export function parseBackends(text: string): KnownBackend[] {
  const names = text.toLowerCase().split(",").map((name) => name.trim());
  return BACKENDS.filter((backend) => names.some((name) => name === backend || ALIASES[name] === backend));
}

/** Signs of an adapter's backend. */
export interface BackendSigns {
  readonly webgpu: WebGpuName;
  readonly os: string;
  /** The adapter's limits by name. */
  readonly limits: Readonly<Record<string, number>>;
  readonly features: readonly string[];
  /** Value of {@linkcode BACKEND_VARIABLE}, if it is known. */
  readonly asked?: string | undefined;
}

/** wgpu's `maxBindingsPerBindGroup` on OpenGL; on Vulkan it is 1024 (Deno 2.9). */
const UNBOUNDED = 2 ** 32 - 1;

/**
 * Infers the backend. Dawn uses Vulkan on Linux, because it is asked to, and Metal on a Mac. On OpenGL, wgpu has no limit
 * on the bindings of a group and no storage in BGRA textures; if only one of the two signs is there, the backend is
 * unknown.
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

/** Tells whether two records can be of one backend: older records do not name it. */
export function mayBeSameBackend(a: Backend, b: Backend): boolean {
  return a === b || a === "unknown" || b === "unknown";
}
