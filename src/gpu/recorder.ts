/**
 * Recording and submitting dispatches. Keeps one compute pass open for as long as it can, since opening a pass
 * costs more than a dispatch, and counts what it records.
 *
 * @module
 */
import type { Kernel } from "./kernel.ts";
import type { Timestamps } from "./timestamps.ts";

/** Records dispatches into command buffers of one device. */
export class Recorder {
  readonly #device: GPUDevice;
  #encoder: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;
  /** Times every pass while it is set. */
  timestamps: Timestamps | undefined;
  /** Dispatches recorded since the recorder was made. */
  dispatches = 0;

  /**
   * Begins with nothing recorded.
   *
   * @param device The device to record for.
   */
  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** The open pass, for binding groups that stay bound over several dispatches. */
  get pass(): GPUComputePassEncoder {
    this.#encoder ??= this.#device.createCommandEncoder();
    if (!this.#pass) {
      const timestampWrites = this.timestamps?.next();
      this.#pass = this.#encoder.beginComputePass(timestampWrites && { timestampWrites });
    }
    return this.#pass;
  }

  /** Records one dispatch; `groups` are bound from `@group(1)` on. */
  dispatch(kernel: Kernel, groups: readonly GPUBindGroup[], x: number, y = 1, z = 1): void {
    const pass = this.pass;
    pass.setPipeline(kernel.pipeline);
    for (let i = 0; i < groups.length; i++) pass.setBindGroup(i + 1, groups[i]!);
    pass.dispatchWorkgroups(x, y, z);
    this.dispatches++;
  }

  /** Submits what was recorded, if anything was. */
  submit(): void {
    if (!this.#encoder) return;
    this.#endPass();
    this.#device.queue.submit([this.#encoder.finish()]);
    this.#encoder = undefined;
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = undefined;
  }
}
