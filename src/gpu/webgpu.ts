/**
 * The one place where WebGPU comes from: Deno's own (wgpu, with the compiler naga), or Dawn (with the compiler Tint)
 * as `npm:webgpu` packs it. Both speak the same interface, so that nothing above knows which it is.
 *
 * @module
 */
import { KvbenchError, UsageError } from "../base/errors.ts";

/** The implementations of WebGPU that can be chosen. */
export const WEBGPU_NAMES = ["deno", "dawn"] as const;
/** An implementation of WebGPU. */
export type WebGpuName = typeof WEBGPU_NAMES[number];

/** Names the implementation where no option does. */
export const WEBGPU_VARIABLE = "KVBENCH_WEBGPU";

/** Named by a variable, so that a run that asks for no Dawn downloads none of its 130 MB. */
const DAWN: string = "npm:webgpu@0.6.2";

/**
 * The implementation that the environment asks for: Deno's own where it asks for none, or may not be read.
 *
 * @throws {UsageError} If it asks for one that does not exist.
 */
export function webGpuOfEnvironment(): WebGpuName {
  const permission = { name: "env", variable: WEBGPU_VARIABLE } as const;
  if (Deno.permissions.querySync(permission).state !== "granted") return "deno";
  const text = Deno.env.get(WEBGPU_VARIABLE) ?? "";
  const name = text === "" ? "deno" : WEBGPU_NAMES.find((each) => each === text);
  if (name !== undefined) return name;
  throw new UsageError(
    `${WEBGPU_VARIABLE} is ${JSON.stringify(text)}: wanted ${WEBGPU_NAMES.join(" or ")}`,
  );
}

/**
 * The entry to an implementation, or undefined where this runtime has none.
 *
 * @throws {KvbenchError} If Dawn can't be loaded.
 */
export async function webGpu(name: WebGpuName): Promise<GPU | undefined> {
  return name === "dawn" ? await (dawn ??= loadDawn()) : navigator.gpu;
}

let dawn: Promise<GPU> | undefined;

async function loadDawn(): Promise<GPU> {
  if ((await Deno.permissions.query({ name: "ffi" })).state !== "granted") {
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
