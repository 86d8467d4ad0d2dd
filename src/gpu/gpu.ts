/**
 * An opened GPU: device, ledger and fence, with the adapter's limits and optional features, or with fewer. Knows nothing
 * of models.
 */
import { KvbenchError, NoAdapterError, OutOfMemoryError } from "../base/errors.ts";
import { type AdapterFacts, adapterFacts, requestAdapter } from "./adapter.ts";
import { type Fence, probeFence } from "./fence.ts";
import { type DeviceLimits, type Requirements, requirements } from "./limits.ts";
import { Ledger, type LedgerState } from "./ledger.ts";
import { lossError, lossOf } from "./loss.ts";
import { subgroupLanes } from "./subgroups.ts";
import type { WebGpuSource } from "./webgpu.ts";

/** Opens a device, with features that the adapter does not list where it grants them. */
async function requestDevice(
  adapter: GPUAdapter,
  { description }: AdapterFacts,
  { requiredFeatures, unlistedFeatures, requiredLimits }: Requirements,
): Promise<GPUDevice> {
  const request = (features: readonly string[]) =>
    adapter.requestDevice({
      label: "kvbench",
      requiredFeatures: features as GPUFeatureName[],
      requiredLimits,
    });
  try {
    if (unlistedFeatures.length > 0) {
      try {
        return await request([...requiredFeatures, ...unlistedFeatures]);
      } catch (error) {
        if (!(error instanceof TypeError)) throw error; // what WebGPU says where a feature is not there
      }
    }
    return await request(requiredFeatures);
  } catch (error) {
    throw new NoAdapterError(`The adapter "${description}" gives no device: ${(error as Error).message}`);
  }
}

/** Returns an adapter's facts with the features that were granted unlisted, and the lanes of subgroups. */
function withGranted(facts: AdapterFacts, device: GPUDevice): AdapterFacts {
  const features = [...new Set([...facts.features, ...device.features])].sort();
  return { ...facts, features, subgroupLanes: subgroupLanes(device) };
}

/** A device with its ledger and fence. Dispose of it when done. */
export class Gpu {
  /** The WebGPU device. */
  readonly device: GPUDevice;
  /** @internal Facts about the adapter. */
  readonly facts: AdapterFacts;
  /** Creates and counts all buffers and textures. */
  readonly ledger: Ledger;
  /** @internal Waits for the GPU. */
  readonly fence: Fence;
  /** @internal True if bytes can be read as soon as `mapAsync()` has returned; see `staging.ts`. */
  readonly mapsAtOnce: boolean;
  #failure: { readonly error: KvbenchError; readonly ledger: LedgerState } | undefined;
  #disposed = false;

  private constructor(
    device: GPUDevice,
    facts: AdapterFacts,
    ledger: Ledger,
    fence: Fence,
    mapsAtOnce: boolean,
  ) {
    this.device = device;
    this.facts = facts;
    this.ledger = ledger;
    this.fence = fence;
    this.mapsAtOnce = mapsAtOnce;
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
    const device = await requestDevice(adapter, facts, requirements(facts, limits));
    const ledger = new Ledger(device);
    const fence = await probeFence(device, ledger), { mapsAtOnce = false } = source;
    return new Gpu(device, withGranted(facts, device), ledger, fence, mapsAtOnce && fence.blocks);
  }

  /**
   * Reports the first error of the device since its start. Call it wherever results leave the GPU.
   *
   * @throws {DeviceLostError | OutOfMemoryError | KvbenchError} The first error of the device.
   */
  assertHealthy(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** @internal State of the ledger at the device's first error, before anything was freed because of it. */
  get ledgerAtFailure(): LedgerState | undefined {
    return this.#failure?.ledger;
  }

  /**
   * Throws the cause of a failed call of WebGPU.
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
    // Compared by name, because Dawn has classes of its own.
    if (constructor.name !== "GPUOutOfMemoryError") return new KvbenchError(`The GPU reports: ${message}`);
    return new OutOfMemoryError(
      `The GPU has no memory left for what was asked of it: ${message.split("\n")[0]} The ledger holds ` +
        `${this.ledger.current.total} bytes; a smaller --model, --batch or --kv-capacity or a narrower ` +
        "--weights-dtype takes less",
    );
  }

  /** Ends the device after a failure, with everything that is alive on it. */
  abandon(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.device.destroy();
  }
}
