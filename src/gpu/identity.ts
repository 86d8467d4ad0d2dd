/**
 * The identity of an adapter: its names, and the judgement whether it is hardware or software.
 *
 * @module
 */

/** The names of an adapter, and its kind. */
export interface AdapterIdentity {
  /** What the adapter calls itself. */
  readonly description: string;
  /** As GPUAdapterInfo gives it. */
  readonly vendor: string;
  /** As GPUAdapterInfo gives it. */
  readonly architecture: string;
  /** As GPUAdapterInfo gives it. */
  readonly device: string;
  /** True where a CPU does the adapter's work (lavapipe, SwiftShader, WARP). */
  readonly software: boolean;
}

/** The part of GPUAdapterInfo that identifies an adapter. */
export interface AdapterInfo
  extends Pick<GPUAdapterInfo, "vendor" | "architecture" | "device" | "description"> {
  /** True where the implementation says that the adapter is a makeshift. */
  readonly isFallbackAdapter?: boolean;
}

/** Names under which software adapters are known to appear. */
const SOFTWARE = /llvmpipe|lavapipe|swiftshader|basic render|warp/i;

/** Names an adapter, and tells whether it is software. */
export function identityOf(
  { description, vendor, architecture, device, isFallbackAdapter }: AdapterInfo,
): AdapterIdentity {
  const name = description || [vendor, architecture, device].filter(Boolean).join(" ") || "unnamed adapter";
  return {
    description: name,
    vendor,
    architecture,
    device,
    software: SOFTWARE.test(name) || isFallbackAdapter === true,
  };
}
