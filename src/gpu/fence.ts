/**
 * Waiting for the GPU. In Deno a call of `onSubmittedWorkDone()` returns when the GPU is done (on OpenGL with a software
 * driver the submission already does), and its promise resolves about 11 ms later (a sleep of the runtime), so a clock
 * must be read after the call and the promise left alone. In browsers the call returns at once and the promise must be
 * awaited. The probe at start-up finds out which of the two this runtime does. Owns no other timing.
 *
 * @module
 */
import type { Ledger, LedgerBuffer } from "./ledger.ts";

/** Copies that hold the host up by at least this much longer than copies of nothing have been waited for. */
const WAITED_MS = 0.5;
/** An await that took this long has waited for the GPU: it is well over the runtime's sleep. */
const AWAITED_MS = 40;
/** Bytes of a copy that takes the GPU no time. */
const SMALL_BYTES = 4;
/** What the GPU is given to do: little for an adapter that is a CPU, more where that is done in no time. */
const ROUNDS = [
  { copies: 4, bytes: 4 << 20 },
  { copies: 64, bytes: 4 << 20 },
  { copies: 128, bytes: 32 << 20 }, // beyond a cache
] as const;

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

/** What the probe needs of a device. */
export type ProbedDevice = {
  readonly queue: GPUQueue;
  createCommandEncoder(): Pick<GPUCommandEncoder, "copyBufferToBuffer" | "finish">;
};

/**
 * Gives the GPU copies to do, more each time, until it is plain what waits for them: the host or the await. Large copies
 * and small ones cost the host the same to submit, so that what the large ones take longer is the GPU's time. Where
 * neither is plain after the last round, the promise is awaited, which is right everywhere.
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
      submit(1, SMALL_BYTES, pair); // the first use of a buffer does what no other one must
      // Twice, since a hold-up of this process must not pass for work.
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
