/**
 * Subgroup operations in WGSL: whether a device has them, and what a kernel that uses them begins with.
 *
 * @module
 */
import code from "../../wgsl/lib/subgroups.wgsl" with { type: "text" };
import { scoped } from "./error_scope.ts";
import type { WgslFile } from "./wgsl.ts";

/** The directives that WGSL wants before subgroup operations (https://www.w3.org/TR/WGSL/#extension-subgroups). */
export const SUBGROUPS: WgslFile = { name: "subgroups.wgsl", code };

/** Whether kernels with subgroup operations may be compiled. */
export function hasSubgroups({ features }: Pick<GPUDevice, "features">): boolean {
  return features.has("subgroups");
}

const directives = new WeakMap<GPUDevice, Promise<readonly WgslFile[]>>();

/**
 * What to join before a kernel's files: {@linkcode SUBGROUPS}, or nothing where the compiler refuses it. naga 29 knows
 * the operations and takes them from every device that has the feature, but does not know the directives yet.
 */
export function subgroupDirectives(device: GPUDevice): Promise<readonly WgslFile[]> {
  const known = directives.get(device) ?? probe(device);
  directives.set(device, known);
  return known;
}

async function probe(device: GPUDevice): Promise<readonly WgslFile[]> {
  const { error } = scoped(
    device,
    () => device.createShaderModule({ label: SUBGROUPS.name, code: SUBGROUPS.code }),
  );
  return await error ? [] : [SUBGROUPS];
}
