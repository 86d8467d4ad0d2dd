/**
 * Bind group layouts with named bindings: access is declared once, and buffers and textures are bound by name.
 */

import { TEXEL_FORMAT } from "./texels.ts";

/** A kernel's use of a binding. */
export type Access = "uniform" | "read" | "readWrite" | "readTexels" | "writeTexels";

/** A buffer, a part of one, or texture storage. */
type Bindable = GPUBufferBinding | { readonly view: GPUTextureView };

/** The bindings of one group; the order of the names is the order of `@binding` numbers. */
export class BindLayout<Name extends string = string> {
  readonly #device: GPUDevice;
  readonly #names: readonly Name[];
  readonly #label: string;
  readonly layout: GPUBindGroupLayout;
  /** Storage buffers among the bindings. */
  readonly storageBuffers: number;
  /** Equal for layouts that WebGPU treats as equal. */
  readonly signature: string;

  /**
   * Makes the WebGPU layout.
   *
   * @param label Names the group in driver messages.
   * @param bindings Access by name.
   * @param options `dynamic`: each buffer gets an offset when its group is set.
   */
  constructor(
    device: GPUDevice,
    label: string,
    bindings: Readonly<Record<Name, Access>>,
    options: { dynamic?: boolean } = {},
  ) {
    this.#device = device;
    this.#label = label;
    this.#names = Object.keys(bindings) as Name[];
    const entries = this.#names.map((name, binding) => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      ...entryOf(bindings[name], options.dynamic ?? false),
    }));
    this.signature = JSON.stringify(entries);
    const uses: Access[] = Object.values(bindings);
    this.storageBuffers = uses.filter((access) => access === "read" || access === "readWrite").length;
    this.layout = device.createBindGroupLayout({ label, entries });
  }

  /** Binds a resource to every name. */
  bind(bound: Readonly<Record<Name, Bindable>>): GPUBindGroup {
    return this.#device.createBindGroup({
      label: this.#label,
      layout: this.layout,
      entries: this.#names.map((name, binding) => {
        const item = bound[name];
        if ("view" in item) return { binding, resource: item.view };
        const { buffer, offset = 0, size = buffer.size - offset } = item;
        return { binding, resource: { buffer, offset, size } };
      }),
    });
  }
}

/** Tells whether a device binds all storage buffers of some groups at once. */
export function bindsAll({ limits }: Pick<GPUDevice, "limits">, groups: readonly BindLayout[]): boolean {
  const buffers = groups.reduce((sum, { storageBuffers }) => sum + storageBuffers, 0);
  return buffers <= limits.maxStorageBuffersPerShaderStage;
}

function entryOf(
  access: Access,
  hasDynamicOffset: boolean,
): Pick<GPUBindGroupLayoutEntry, "buffer" | "storageTexture"> {
  switch (access) {
    case "uniform":
      return { buffer: { type: "uniform", hasDynamicOffset } };
    case "read":
      return { buffer: { type: "read-only-storage", hasDynamicOffset } };
    case "readWrite":
      return { buffer: { type: "storage", hasDynamicOffset } };
    case "readTexels":
      return { storageTexture: { access: "read-only", format: TEXEL_FORMAT } };
    case "writeTexels":
      return { storageTexture: { access: "write-only", format: TEXEL_FORMAT } };
  }
}
