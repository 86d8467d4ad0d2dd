/**
 * Waiting for the GPU. In Deno a call of `onSubmittedWorkDone()` returns when the GPU is done (on OpenGL with a software
 * driver the submission already does), and its promise resolves about 11 ms later (a sleep of the runtime), so a clock
 * must be read after the call and the promise left alone. In browsers the call returns at once and the promise must be
 * awaited. A probe at start-up finds out which of the two holds. Owns no other timing.
 */
import type { Ledger, LedgerBuffer } from "./ledger.ts";

/** Extra time of large copies, in ms, from which the host has waited for them. */
const WAITED_MS = 0.5;
/** Time of an await, in ms, from which it has waited for the GPU: well above the runtime's sleep. */
const AWAITED_MS = 40;
/** Bytes of a copy that takes the GPU next to no time. */
const SMALL_BYTES = 4;
/** Work for the probe: little at first, for software adapters, and more if that is too little to measure. */
const ROUNDS = [
  { copies: 4, bytes: 4 << 20 },
  { copies: 64, bytes: 4 << 20 },
  { copies: 128, bytes: 32 << 20 }, // beyond a cache
] as const;

/** A way to wait for a queue. */
export class Fence {
  readonly #queue: GPUQueue;
  /** True if a call of `onSubmittedWorkDone()` blocks until the GPU is done. */
  readonly blocks: boolean;

  /** For tests that force either kind; use {@link probeFence}. */
  constructor(queue: GPUQueue, blocks: boolean) {
    this.#queue = queue;
    this.blocks = blocks;
  }

  /** Waits until all submitted work is done. Await the result: that is right for both kinds. */
  wait(): Promise<void> | undefined {
    // A lost device is reported by the device itself.
    const done = this.#queue.onSubmittedWorkDone().then(() => undefined, () => undefined);
    return this.blocks ? undefined : done;
  }

  /** Measures the cost of waiting for nothing, in ms: the median of 15 fences. */
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

/** The part of a device that the probe needs. */
export type ProbedDevice = {
  readonly queue: GPUQueue;
  createCommandEncoder(): Pick<GPUCommandEncoder, "copyBufferToBuffer" | "finish">;
};

/**
 * Finds out whether the call or the await waits for the GPU, by copies, more in each round until one of the two is clear.
 * Large and small copies cost the host the same to submit; the difference of their times is the GPU's. If neither is
 * clear after the last round, promises are awaited, which is right for every runtime.
 *
 * @param now Reads a clock, in ms. Default: this process's.
 */
export async function probeFence(
  device: ProbedDevice,
  ledger: Pick<Ledger, "createBuffer">,
  now: () => number = () => performance.now(),
): Promise<Fence> {
  const { queue } = device;
  const submit = (copies: number, bytes: number, [from, to]: readonly LedgerBuffer[]) => {
    const encoder = device.createCommandEncoder();
    for (let i = 0; i < copies; i++) encoder.copyBufferToBuffer(from!.buffer, 0, to!.buffer, 0, bytes);
    const commands = encoder.finish();
    const start = now();
    queue.submit([commands]);
    // A lost device is reported by the device itself.
    const done = queue.onSubmittedWorkDone().catch(() => {});
    return { ms: now() - start, done };
  };
  for (const { copies, bytes } of ROUNDS) {
    const spec = { label: "fence probe", category: "staging", bytes } as const;
    const pair = [ledger.createBuffer(spec), ledger.createBuffer(spec)];
    try {
      submit(1, SMALL_BYTES, pair); // the first use of a buffer costs more than later ones
      // Twice, because a delay of this process could look like work.
      const waits = [0, 1].every(() =>
        submit(copies, bytes, pair).ms - submit(copies, SMALL_BYTES, pair).ms >= WAITED_MS
      );
      if (waits) return new Fence(queue, true);
      const start = now();
      await submit(1, SMALL_BYTES, pair).done;
      if (now() - start >= AWAITED_MS) break;
    } finally {
      for (const buffer of pair) buffer.destroy();
    }
  }
  return new Fence(queue, false);
}
