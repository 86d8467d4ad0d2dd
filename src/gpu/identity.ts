/** The identity of an adapter: its names and its kind, hardware or software. */

/** The names of an adapter, and its kind. */
export interface AdapterIdentity {
  /** Description, as GPUAdapterInfo gives it, or made of the other names. */
  readonly description: string;
  /** As GPUAdapterInfo gives it. */
  readonly vendor: string;
  /** As GPUAdapterInfo gives it. */
  readonly architecture: string;
  /** As GPUAdapterInfo gives it. */
  readonly device: string;
  /** True if a CPU does the adapter's work (lavapipe, SwiftShader, WARP). */
  readonly software: boolean;
}

/** The part of GPUAdapterInfo that identifies an adapter. */
export interface AdapterInfo
  extends Pick<GPUAdapterInfo, "vendor" | "architecture" | "device" | "description"> {
  /** True if the implementation calls the adapter a fallback. */
  readonly isFallbackAdapter?: boolean;
}

/** Names of known software adapters. */
const SOFTWARE = /llvmpipe|lavapipe|swiftshader|basic render|warp/i;

/** Returns the identity of an adapter. */
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
