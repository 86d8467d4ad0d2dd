/** Subgroup operations in WGSL: their support by a device, and the directives of kernels that use them. */
import code from "../../wgsl/lib/subgroups.wgsl" with { type: "text" };
import { scoped } from "./error_scope.ts";
import type { WgslFile } from "./wgsl.ts";

/** The directives that WGSL requires for subgroup operations (https://www.w3.org/TR/WGSL/#extension-subgroups). */
export const SUBGROUPS: WgslFile = { name: "subgroups.wgsl", code };

/** Tells whether a device supports subgroup operations. */
export function hasSubgroups({ features }: Pick<GPUDevice, "features">): boolean {
  return features.has("subgroups");
}

/** Lanes of a subgroup, from the fewest to the most. */
export type SubgroupLanes = readonly [fewest: number, most: number];

/** A device, as far as it tells about subgroups. */
export type SubgroupDevice = Pick<GPUDevice, "features"> & Partial<Pick<GPUDevice, "adapterInfo">>;

/** Returns the lanes that a device's subgroups have; undefined where it has none or does not tell. */
export function subgroupLanes(device: SubgroupDevice): SubgroupLanes | undefined {
  const { subgroupMinSize: fewest, subgroupMaxSize: most } = device.adapterInfo ?? {};
  return hasSubgroups(device) && fewest && most ? [fewest, most] : undefined;
}

/** Tells whether subgroups have a number of lanes for sure: eight hand the inputs of eight rows around. */
export function holdsLanes(lanes: SubgroupLanes | undefined, count: 8 | 16): boolean {
  return lanes !== undefined && lanes[0] >= count;
}

const directives = new WeakMap<GPUDevice, Promise<readonly WgslFile[]>>();

/**
 * Returns the files to join before a kernel's: {@linkcode SUBGROUPS}, or none if the compiler refuses it. naga 29 allows
 * the operations on every device with the feature, but does not know the directives yet.
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
