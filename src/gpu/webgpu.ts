/**
 * The port through which WebGPU comes: an entry to an implementation, and what its surroundings tell of it. All
 * implementations speak the same interface, so that nothing above knows which it is. Finds none itself.
 */

/** The implementations of WebGPU that can be chosen: Deno's own (wgpu, with the compiler naga), or Dawn (with Tint). */
export const WEBGPU_NAMES = ["deno", "dawn"] as const;
/** An implementation of WebGPU. */
export type WebGpuName = typeof WEBGPU_NAMES[number];

/** An implementation of WebGPU, and the surroundings that tell its backend. */
export interface WebGpuSource {
  /** Name of the implementation. */
  readonly name: WebGpuName;
  /** Entry to it; undefined where the runtime has none. */
  readonly gpu: GPU | undefined;
  /** Operating system, as Deno names it: `linux`, `darwin`, `windows`. */
  readonly os: string;
  /** Backends that the environment asks for, as the value of DENO_WEBGPU_BACKEND; undefined where that is not known. */
  readonly askedBackends?: string | undefined;
  /** True if a call of `mapAsync()` returns when the GPU is done, and its bytes can be read then. Default: false. */
  readonly mapsAtOnce?: boolean;
}
