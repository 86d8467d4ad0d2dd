/**
 * The yardstick: a fixed piece of GPU work, timed beside every measured run. A machine that is shared, throttled or
 * clocked by turns runs it slower when it runs everything slower, so that a change of the machine can be told from a
 * change of what is measured. Owns its buffer and kernel; knows no strategy.
 */
import code from "../../../wgsl/probes/yardstick.wgsl" with { type: "text" };
import { BindLayout } from "../../gpu/bind_layout.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { createKernel } from "../../gpu/kernel.ts";
import type { LedgerBuffer } from "../../gpu/ledger.ts";
import { Recorder } from "../../gpu/recorder.ts";
import { lanesOf } from "../../gpu/wgsl.ts";

const FILE = { name: "yardstick.wgsl", code };
/** Vectors of four floats: 16 MiB, more than a cache holds. */
const VECTORS = 1 << 20;
/** Bytes of its buffer on the GPU. */
export const YARDSTICK_BYTES: number = VECTORS * 16;
/** Shortest reading, long enough for the fence and the clock not to matter. */
const READING_MS = 5;

/** Times the fixed work. Dispose of it when done. */
export class Yardstick {
  readonly #gpu: Gpu;
  readonly #values: LedgerBuffer;
  readonly #record: (recorder: Recorder) => void;
  #dispatches = 1;

  private constructor(gpu: Gpu, values: LedgerBuffer, record: (recorder: Recorder) => void) {
    this.#gpu = gpu;
    this.#values = values;
    this.#record = record;
  }

  /**
   * Compiles the kernel and finds the number of dispatches of a reading.
   *
   * @throws {KvbenchError} If the device refuses the kernel or the buffer, or is lost.
   */
  static async create(gpu: Gpu): Promise<Yardstick> {
    const layout = new BindLayout(gpu.device, "yardstick", { values: "readWrite" });
    const kernel = await createKernel(gpu.device, {
      files: [FILE],
      groups: [layout],
    });
    const values = gpu.ledger.createBuffer({
      label: "yardstick",
      category: "staging",
      bytes: YARDSTICK_BYTES,
    });
    const group = layout.bind({ values });
    const yardstick = new Yardstick(gpu, values, (recorder) => {
      recorder.share(group);
      recorder.dispatch(kernel, [], VECTORS / lanesOf(FILE));
    });
    try {
      await yardstick.readMs(); // the first dispatch pays for the buffer's pages
      while (await yardstick.readMs() * yardstick.#dispatches < READING_MS) {
        yardstick.#dispatches *= 2;
        // A lost device does any work in no time, and says that it is lost between two tasks alone.
        await new Promise((resolve) => setTimeout(resolve));
        gpu.assertHealthy();
      }
      return yardstick;
    } catch (error) {
      yardstick.dispose();
      throw error;
    }
  }

  /** Measures the milliseconds that the work takes now. */
  async readMs(): Promise<number> {
    const { device, fence } = this.#gpu;
    const recorder = new Recorder(device);
    for (let i = 0; i < this.#dispatches; i++) this.#record(recorder);
    await fence.wait();
    const start = performance.now();
    recorder.submit();
    await fence.wait();
    return (performance.now() - start) / this.#dispatches;
  }

  dispose(): void {
    this.#values.destroy();
  }
}
