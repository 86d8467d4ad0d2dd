/**
 * Waiting for the GPU. In Deno a call of `onSubmittedWorkDone()` returns when the GPU is done, and its promise
 * resolves about 11 ms later (a sleep of the runtime), so a clock must be read after the call and the promise
 * left alone. In browsers the call returns at once and the promise must be awaited. The probe at start-up
 * finds out which of the two this runtime does. Owns no other timing.
 *
 * @module
 */
import type { Ledger } from "./ledger.ts";

/** A call that took at least this long has waited for the GPU; a call that does not wait takes microseconds. */
const WAITED_MS = 1;
/** An await that took this long has waited for the GPU: it is well over the runtime's sleep. */
const AWAITED_MS = 40;
/** Bytes of one copy of the probe's work. */
const COPY_BYTES = 4 << 20;

/** How to wait for a queue. */
export class Fence {
  readonly #queue: GPUQueue;
  /** Whether a call of `onSubmittedWorkDone()` waits by itself. */
  readonly blocks: boolean;

  /** Use {@link probeFence}; this is for tests that force the one or the other kind. */
  constructor(queue: GPUQueue, blocks: boolean) {
    this.#queue = queue;
    this.blocks = blocks;
  }

  /** Waits until all that was submitted is done. Awaiting the result is right for both kinds of runtime. */
  wait(): Promise<void> | undefined {
    // A lost device is reported by the device itself.
    const done = this.#queue.onSubmittedWorkDone().then(() => undefined, () => undefined);
    return this.blocks ? undefined : done;
  }

  /** Milliseconds that waiting costs when there is nothing to wait for: the median of 15 empty fences. */
  async costMs(): Promise<number> {
    const samples: number[] = [];
    for (let i = 0; i < 15; i++) {
      const start = performance.now();
      await this.wait();
      samples.push(performance.now() - start);
    }
    return samples.sort((a, b) => a - b)[7]!;
  }
}

/** Gives the GPU copies to do, more each time, until it is plain what waits for them: the call or the await. */
export async function probeFence(device: GPUDevice, ledger: Ledger): Promise<Fence> {
  const spec = { label: "fence probe", category: "staging", bytes: COPY_BYTES } as const;
  const from = ledger.createBuffer(spec), to = ledger.createBuffer(spec);
  try {
    for (let copies = 1; copies <= 1 << 14; copies *= 4) {
      const encoder = device.createCommandEncoder();
      for (let i = 0; i < copies; i++) encoder.copyBufferToBuffer(from.buffer, 0, to.buffer, 0, COPY_BYTES);
      device.queue.submit([encoder.finish()]);
      const start = performance.now();
      const done = device.queue.onSubmittedWorkDone();
      const called = performance.now();
      if (called - start >= WAITED_MS) return new Fence(device.queue, true);
      await done;
      if (performance.now() - called >= AWAITED_MS) break;
    }
    return new Fence(device.queue, false);
  } finally {
    from.destroy();
    to.destroy();
  }
}
