/**
 * Variables of the environment that choose the GPU, each read where it may be and taken for unset where not. Never
 * prompts. Imports no package, since set-up needs it.
 */
import { UsageError } from "../base/errors.ts";
import { BACKEND_VARIABLE } from "../gpu/backend.ts";
import { WEBGPU_NAMES, type WebGpuName } from "../gpu/webgpu.ts";
import { isGranted } from "./permissions.ts";

/** Names the implementation of WebGPU where no option does. */
export const WEBGPU_VARIABLE = "KVBENCH_WEBGPU";

/** Returns a variable's value; undefined where it is unset or may not be read. */
export function variable(name: string): string | undefined {
  return isGranted({ name: "env", variable: name }) ? Deno.env.get(name) : undefined;
}

/** Returns the value of {@linkcode BACKEND_VARIABLE}; undefined where it is unset or may not be read. */
export function askedBackends(): string | undefined {
  return variable(BACKEND_VARIABLE);
}

/**
 * Returns the implementation that the environment asks for. Default: Deno's own.
 *
 * @throws {UsageError} If it asks for one that does not exist.
 */
export function askedWebGpu(): WebGpuName {
  const text = variable(WEBGPU_VARIABLE) ?? "";
  const name = text === "" ? "deno" : WEBGPU_NAMES.find((each) => each === text);
  if (name !== undefined) return name;
  throw new UsageError(
    `${WEBGPU_VARIABLE} is ${JSON.stringify(text)}: expected ${WEBGPU_NAMES.join(" or ")}`,
  );
}
