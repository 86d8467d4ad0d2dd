/**
 * Recording and submitting dispatches. Keeps one compute pass open for as long as it can, since opening a pass
 * costs more than a dispatch, and counts what it records.
 */
import type { DispatchTimer } from "./dispatch_timer.ts";
import type { Kernel } from "./kernel.ts";
import type { Timestamps } from "./timestamps.ts";

/** Pipelines that have been dispatched: some drivers compile at that moment. */
const DISPATCHED = new WeakSet<GPUComputePipeline>();

/** Is told of a kernel that some drivers compile now, and returns what is called when it is compiled. */
export type FirstDispatch = (kernel: Kernel) => () => void;

/** Records dispatches into command buffers of one device. */
export class Recorder {
  readonly #device: GPUDevice;
  #encoder: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;
  #shared: { readonly group: GPUBindGroup; readonly offsets: number[] } | undefined;
  /** Times every pass while it is set. */
  timestamps: Timestamps | undefined;
  /** Gives every dispatch a timed pass of its own while it is set. Set it when nothing is recorded. */
  dispatchTimer: DispatchTimer | undefined;
  /**
   * Called before a kernel's first dispatch on the device while it is set, when everything before it is done; that one
   * is submitted and waited for alone. What it returns is called when that is done.
   */
  onFirstDispatch: FirstDispatch | undefined;
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

  /** Binds `@group(0)` for the dispatches that follow, until another is bound. */
  share(group: GPUBindGroup, offsets: number[] = []): void {
    this.#shared = { group, offsets };
    this.#pass?.setBindGroup(0, group, offsets);
  }

  /** Records one dispatch; `groups` are bound from `@group(1)` on. */
  dispatch(kernel: Kernel, groups: readonly GPUBindGroup[], x: number, y = 1, z = 1): void {
    const first = this.onFirstDispatch !== undefined && !DISPATCHED.has(kernel.pipeline);
    const done = first ? this.#announce(kernel) : undefined;
    const pass = this.dispatchTimer
      ? this.#beginPass(this.dispatchTimer.next(kernel, [x, y, z]))
      : this.#pass ?? this.#beginPass(this.timestamps?.next());
    pass.setPipeline(kernel.pipeline);
    for (let i = 0; i < groups.length; i++) pass.setBindGroup(i + 1, groups[i]!);
    pass.dispatchWorkgroups(x, y, z);
    this.dispatches++;
    DISPATCHED.add(kernel.pipeline);
    if (done === undefined) return;
    this.#finish();
    done();
  }

  #announce(kernel: Kernel): () => void {
    this.#finish();
    return this.onFirstDispatch!(kernel);
  }

  /** Submits, and in Deno waits, so that what is shown is what is under way. */
  #finish(): void {
    this.submit();
    this.#device.queue.onSubmittedWorkDone().catch(() => {}); // a lost device is reported by the device itself
  }

  /** Submits what was recorded, if anything was. */
  submit(): void {
    if (!this.#encoder) return;
    this.#endPass();
    this.#device.queue.submit([this.#encoder.finish()]);
    this.#encoder = undefined;
  }

  #beginPass(timestampWrites: GPUComputePassTimestampWrites | undefined): GPUComputePassEncoder {
    this.#endPass();
    this.#encoder ??= this.#device.createCommandEncoder();
    this.#pass = this.#encoder.beginComputePass(timestampWrites && { timestampWrites });
    if (this.#shared) this.#pass.setBindGroup(0, this.#shared.group, this.#shared.offsets);
    return this.#pass;
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = undefined;
  }
}
