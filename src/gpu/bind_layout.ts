/**
 * Bind group layouts with named bindings: access is declared once, and buffers are bound by name.
 *
 * @module
 */

/** How a kernel may use a binding. */
export type Access = "uniform" | "read" | "readWrite";

const TYPES: Record<Access, GPUBufferBindingType> = {
  uniform: "uniform",
  read: "read-only-storage",
  readWrite: "storage",
};

/** The bindings of one group; the order of the names is the order of `@binding` numbers. */
export class BindLayout<Name extends string = string> {
  readonly #device: GPUDevice;
  readonly #names: readonly Name[];
  readonly #label: string;
  /** The WebGPU layout. */
  readonly layout: GPUBindGroupLayout;
  /** Equal for layouts that WebGPU takes for each other. */
  readonly signature: string;

  /**
   * Makes the WebGPU layout.
   *
   * @param label Names the group in driver messages.
   * @param bindings Access by name.
   * @param options `dynamic`: every binding takes an offset when it is set.
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
      buffer: { type: TYPES[bindings[name]], hasDynamicOffset: options.dynamic ?? false },
    }));
    this.signature = JSON.stringify(entries);
    this.layout = device.createBindGroupLayout({ label, entries });
  }

  /** Binds a buffer, or a part of one, to every name. */
  bind(buffers: Readonly<Record<Name, GPUBufferBinding>>): GPUBindGroup {
    return this.#device.createBindGroup({
      label: this.#label,
      layout: this.layout,
      entries: this.#names.map((name, binding) => {
        const { buffer, offset = 0, size = buffer.size - offset } = buffers[name];
        return { binding, resource: { buffer, offset, size } };
      }),
    });
  }
}
