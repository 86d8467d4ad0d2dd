/** Opening a GPU from Deno: with the runtime's own WebGPU, or with Dawn as `npm:webgpu` packs it. */
import { KvbenchError } from "../base/errors.ts";
import { Gpu } from "../gpu/gpu.ts";
import type { DeviceLimits } from "../gpu/limits.ts";
import type { WebGpuName, WebGpuSource } from "../gpu/webgpu.ts";
import { askedBackends, askedWebGpu, variable } from "./variables.ts";
import { isGranted } from "./permissions.ts";

/** Options of {@linkcode openGpu}. */
export interface GpuOptions {
  /** Implementation of WebGPU: Deno's own, or Dawn. Default: the one that KVBENCH_WEBGPU names, else Deno's own. */
  readonly webgpu?: "deno" | "dawn";
  /**
   * Optional features to do without. Default: none.
   *
   * @internal For tests of less capable adapters.
   */
  readonly disabledFeatures?: NonNullable<DeviceLimits["disabledFeatures"]>;
  /**
   * Limits to keep below the adapter's. Default: none.
   *
   * @internal For tests of less capable adapters.
   */
  readonly limits?: NonNullable<DeviceLimits["limits"]>;
}

/**
 * Opens the adapter with the highest performance.
 *
 * @throws {UsageError | KvbenchError} If there is no adapter, it gives no device, or not with these limits.
 */
export async function openGpu({ webgpu = askedWebGpu(), ...limits }: GpuOptions = {}): Promise<Gpu> {
  return await Gpu.open(await webGpuSource(webgpu), limits);
}

/**
 * Returns an implementation of WebGPU. Default: the environment's.
 *
 * @throws {KvbenchError} If Dawn can't be loaded.
 */
export async function webGpuSource(name: WebGpuName = askedWebGpu()): Promise<WebGpuSource> {
  quietLoader();
  const gpu = name === "dawn" ? await (dawn ??= loadDawn()) : navigator.gpu;
  const mapsAtOnce = name === "deno" && MAPS_AT_ONCE.test(Deno.version.deno);
  return { name, gpu, os: Deno.build.os, askedBackends: askedBackends(), mapsAtOnce };
}

/** Versions of Deno that were seen to hand over a buffer's bytes before the promise of `mapAsync()` resolves. */
const MAPS_AT_ONCE = /^2\.9\.[0-6]$/;

/** Named by a variable, so that a run that asks for no Dawn downloads none of its 130 MB. */
const DAWN: string = "npm:webgpu@0.6.2";

let dawn: Promise<GPU> | undefined;

async function loadDawn(): Promise<GPU> {
  if (!isGranted({ name: "ffi" })) {
    throw new KvbenchError("Cannot load Dawn: it is a native library, run with --allow-ffi");
  }
  try {
    const { create }: { create(flags: readonly string[]): GPU } = await import(DAWN);
    // Left to itself it also looks for OpenGL, which has none of what the kernels need.
    return create(Deno.build.os === "linux" ? ["backend=vulkan"] : []);
  } catch (error) {
    const [reason] = String((error as Error).message).split("\n");
    throw new KvbenchError(`Cannot load Dawn, which ${DAWN} brings: ${reason}`, { cause: error });
  }
}

/** Mesa's loader prints two error lines for each adapter request where this variable is unset. */
function quietLoader(): void {
  const name = "XDG_RUNTIME_DIR";
  if (Deno.build.os !== "linux") return;
  if (isGranted({ name: "env", variable: name }) && !variable(name)) Deno.env.set(name, "/tmp");
}
