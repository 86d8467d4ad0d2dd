/**
 * An opened GPU: device, ledger and fence, with the adapter's own limits and the optional features that exist.
 * Knows nothing of models.
 *
 * @module
 */
import { KvbenchError } from "../errors.ts";
import { type AdapterFacts, adapterFacts, requestAdapter } from "./adapter.ts";
import { type Fence, probeFence } from "./fence.ts";
import { Ledger } from "./ledger.ts";

/** Optional WebGPU features that kvbench uses where they exist. */
const WANTED_FEATURES = ["shader-f16", "timestamp-query", "subgroups"] as const;
/** Limits that are raised to what the adapter offers. */
const WANTED_LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
] as const;

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
  #failure: string | undefined;
  #disposed = false;

  private constructor(device: GPUDevice, facts: AdapterFacts, ledger: Ledger, fence: Fence) {
    this.device = device;
    this.facts = facts;
    this.ledger = ledger;
    this.fence = fence;
    device.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      this.#failure ??= (event as GPUUncapturedErrorEvent).error.message;
    });
    device.lost.then(({ reason, message }) => {
      if (!this.#disposed) this.#failure ??= `the device was lost (${reason}): ${message}`;
    });
  }

  /**
   * Opens the best adapter.
   *
   * @throws {KvbenchError} If there is no adapter or it gives no device.
   */
  static async open(): Promise<Gpu> {
    const adapter = await requestAdapter();
    const facts = adapterFacts(adapter);
    const requiredFeatures = WANTED_FEATURES.filter((name) => adapter.features.has(name));
    const requiredLimits: Record<string, number> = {};
    for (const name of WANTED_LIMITS) requiredLimits[name] = adapter.limits[name];
    let device: GPUDevice;
    try {
      device = await adapter.requestDevice({ label: "kvbench", requiredFeatures, requiredLimits });
    } catch (error) {
      throw new KvbenchError(
        `The adapter "${facts.description}" gives no device: ${(error as Error).message}`,
      );
    }
    const ledger = new Ledger(device);
    return new Gpu(device, facts, ledger, await probeFence(device, ledger));
  }

  /**
   * Reports what WebGPU found wrong since the start. Call it at every point where results leave the GPU.
   *
   * @throws {KvbenchError} With the first error of the device.
   */
  assertHealthy(): void {
    if (this.#failure !== undefined) throw new KvbenchError(`The GPU reports: ${this.#failure}`);
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

  /** Ends the device after a failure: whatever is alive on it goes with it. */
  abandon(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.device.destroy();
  }
}
