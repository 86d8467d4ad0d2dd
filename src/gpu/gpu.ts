/**
 * An opened GPU: device, ledger and fence, with the adapter's own limits and the optional features that exist, or
 * with less. Knows nothing of models.
 *
 * @module
 */
import { KvbenchError, NoAdapterError, OutOfMemoryError } from "../base/errors.ts";
import { type AdapterFacts, adapterFacts, requestAdapter } from "./adapter.ts";
import { type Fence, probeFence } from "./fence.ts";
import { type DeviceLimits, requirements } from "./limits.ts";
import { Ledger, type LedgerState } from "./ledger.ts";
import { lossError, lossOf } from "./loss.ts";
import type { WebGpuSource } from "./webgpu.ts";

/** A device with its ledger and fence. Dispose of it when done. */
export class Gpu {
  /** The WebGPU device. */
  readonly device: GPUDevice;
  /** What is known of the adapter. */
  readonly facts: AdapterFacts;
  /** The only maker of buffers. */
  readonly ledger: Ledger;
  /** How to wait for the GPU. */
  readonly fence: Fence;
  #failure: { readonly error: KvbenchError; readonly ledger: LedgerState } | undefined;
  #disposed = false;

  private constructor(device: GPUDevice, facts: AdapterFacts, ledger: Ledger, fence: Fence) {
    this.device = device;
    this.facts = facts;
    this.ledger = ledger;
    this.fence = fence;
    device.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      this.#note(this.#errorOf((event as GPUUncapturedErrorEvent).error));
    });
    device.lost.then((info) => {
      if (!this.#disposed) this.#note(lossError(info));
    });
  }

  /**
   * Opens the adapter with the highest performance.
   *
   * @param source The implementation of WebGPU.
   * @param limits Features and limits to do without.
   * @throws {UsageError | KvbenchError} If there is no adapter, it gives no device, or not with these limits.
   */
  static async open(source: WebGpuSource, limits: DeviceLimits = {}): Promise<Gpu> {
    const adapter = await requestAdapter(source);
    const facts = adapterFacts(adapter, source);
    const required = requirements(facts, limits);
    let device: GPUDevice;
    try {
      device = await adapter.requestDevice({ label: "kvbench", ...required });
    } catch (error) {
      throw new NoAdapterError(
        `The adapter "${facts.description}" gives no device: ${(error as Error).message}`,
      );
    }
    const ledger = new Ledger(device);
    return new Gpu(device, facts, ledger, await probeFence(device, ledger));
  }

  /**
   * Reports what WebGPU found wrong since the start. Call it at every point where results leave the GPU.
   *
   * @throws {DeviceLostError | OutOfMemoryError | KvbenchError} The first error of the device.
   */
  assertHealthy(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** What the ledger said when the first error was noticed: what was alive is freed before anyone can look. */
  get ledgerAtFailure(): LedgerState | undefined {
    return this.#failure?.ledger;
  }

  /**
   * Reports why a call of WebGPU failed.
   *
   * @throws {DeviceLostError | OutOfMemoryError | KvbenchError} Always.
   */
  async fail(error: Error): Promise<never> {
    const loss = await lossOf(this.device);
    this.assertHealthy();
    throw loss ?? new KvbenchError(`The GPU reports: ${error.message}`, { cause: error });
  }

  /**
   * Ends the device after a success.
   *
   * @throws {KvbenchError} If a buffer is still alive.
   */
  dispose(): void {
    try {
      this.ledger.assertEmpty();
    } finally {
      this.abandon();
    }
  }

  /** Keeps the first error. */
  #note(error: KvbenchError): void {
    this.#failure ??= { error, ledger: this.ledger.state() };
  }

  #errorOf({ message, constructor }: GPUError): KvbenchError {
    // By name: Dawn brings a class of its own.
    if (constructor.name !== "GPUOutOfMemoryError") return new KvbenchError(`The GPU reports: ${message}`);
    return new OutOfMemoryError(
      `The GPU has no memory left for what was asked of it: ${message.split("\n")[0]} The ledger holds ` +
        `${this.ledger.current.total} bytes; a smaller --model, --batch or --kv-capacity or a narrower ` +
        "--weights-dtype takes less",
    );
  }

  /** Ends the device after a failure: whatever is alive on it goes with it. */
  abandon(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.device.destroy();
  }
}
