/** The adapter: asks WebGPU for one, and describes it. Opens no device. */
import { NoAdapterError } from "../base/errors.ts";
import { type Backend, BACKEND_VARIABLE, backendOf, VULKAN_HINT } from "./backend.ts";
import { type AdapterIdentity, identityOf } from "./identity.ts";
import type { SubgroupLanes } from "./subgroups.ts";
import type { WebGpuName, WebGpuSource } from "./webgpu.ts";

/** Facts about an adapter, before a device is opened on it. */
export interface AdapterFacts extends AdapterIdentity {
  /** The implementation of WebGPU that found it. */
  readonly webgpu: WebGpuName;
  /** Graphics API through which it is reached. */
  readonly backend: Backend;
  /** Optional features, sorted. */
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
  /** Lanes of a subgroup of its device. Default: there are none, or they are unknown. */
  readonly subgroupLanes?: SubgroupLanes | undefined;
}

/**
 * Asks an implementation for the adapter with the highest performance.
 *
 * @throws {NoAdapterError} If there is none, with the remedy.
 */
export async function requestAdapter({ name, gpu, askedBackends }: WebGpuSource): Promise<GPUAdapter> {
  const adapter = await gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) {
    const asked = name === "deno" ? askedBackends : undefined;
    throw new NoAdapterError(
      "No WebGPU adapter: expected a GPU with a Vulkan, Metal or DirectX 12 driver. Run `deno task setup`, " +
        `or install a software driver (${VULKAN_HINT})` +
        (asked === undefined ? "" : `, or unset ${BACKEND_VARIABLE}, which is ${JSON.stringify(asked)}`),
    );
  }
  return adapter;
}

/** Describes an adapter of an implementation. */
export function adapterFacts(
  adapter: GPUAdapter,
  { name: webgpu, os, askedBackends }: Omit<WebGpuSource, "gpu">,
): AdapterFacts {
  const { info } = adapter;
  const limits: Record<string, number> = {};
  for (const name in adapter.limits) {
    const value = adapter.limits[name as keyof GPUSupportedLimits];
    if (typeof value === "number") limits[name] = value;
  }
  const features = [...adapter.features].sort();
  const signs = { webgpu, os, limits, features, asked: askedBackends };
  return { webgpu, backend: backendOf(signs), ...identityOf(info), features, limits };
}

/** Facts about an opened adapter, as results record them. */
export interface AdapterRecord
  extends Omit<AdapterFacts, "webgpu" | "limits" | "features" | "subgroupLanes"> {
  /** Optional features that its device has, sorted. */
  features: string[];
  /** Optional features that the adapter offers, used or not, sorted. */
  offered_features: string[];
}

/** Returns the facts about an opened adapter for a record. */
export function adapterRecord(
  { backend, description, vendor, architecture, device, software, features: offered }: AdapterFacts,
  { features }: Pick<GPUDevice, "features">,
): AdapterRecord {
  const lists = { features: [...features].sort(), offered_features: [...offered] };
  return { backend, description, vendor, architecture, device, software, ...lists };
}
