import assert from "node:assert/strict";
import { type ProbedDevice, probeFence } from "./fence.ts";
import type { LedgerBuffer } from "./ledger.ts";

/** How a made-up runtime behaves. */
interface Runtime {
  /** What waits for the GPU: submissions, as OpenGL's, the call of `onSubmittedWorkDone()`, or only its promise. */
  readonly waits: "submit" | "call" | "promise";
  /** Milliseconds that a MiB takes the GPU. */
  readonly msPerMib: number;
  /** Milliseconds that the promise takes beyond the work. */
  readonly sleepMs: number;
  /** Milliseconds of the host that a copy takes to submit. */
  readonly hostMs: number;
}

/** Probes a made-up runtime with a clock of its own. */
async function probe({ waits, msPerMib, sleepMs, hostMs }: Runtime) {
  let clock = 0, idleAt = 0, copies = 0, recorded = 0, recordedMs = 0, alive = 0;
  const waitFor = () => void (clock = Math.max(clock, idleAt));
  const device = {
    createCommandEncoder: () => ({
      copyBufferToBuffer: (_from: unknown, _at: number, _to: unknown, _place: number, bytes: number) => {
        recorded++;
        copies++;
        recordedMs += bytes / 2 ** 20 * msPerMib;
      },
      finish: () => ({}),
    }),
    queue: {
      submit: () => {
        clock += recorded * hostMs;
        idleAt = Math.max(idleAt, clock) + recordedMs;
        recorded = recordedMs = 0;
        if (waits === "submit") waitFor();
      },
      onSubmittedWorkDone: () => {
        if (waits === "call") waitFor();
        return { catch: () => ({ then: (go: () => void) => (waitFor(), clock += sleepMs, go()) }) };
      },
    },
  };
  const createBuffer = () => (alive++, { buffer: {}, destroy: () => alive-- });
  const fence = await probeFence(
    device as unknown as ProbedDevice,
    { createBuffer: () => createBuffer() as unknown as LedgerBuffer },
    () => clock,
  );
  assert.equal(alive, 0);
  return { blocks: fence.blocks, copies, ms: clock };
}

/** A CPU's memory, a GPU's, and the fastest there is, in ms a MiB read and written. */
const CPU = 0.25, GPU = 0.004, FASTEST = 0.0004;
/** Deno's sleep. */
const SLEEP_MS = 11;
const COPIES_FOR_A_CPU = 1 + 4 * 4;

Deno.test("probeFence() takes few copies to see that OpenGL's submissions wait, and a call that waits", async () => {
  for (const waits of ["submit", "call"] as const) {
    const { blocks, copies, ms } = await probe({ waits, msPerMib: CPU, sleepMs: SLEEP_MS, hostMs: 0.001 });
    assert.equal(blocks, true, waits);
    assert.equal(copies, COPIES_FOR_A_CPU, waits);
    assert.ok(ms <= 50, `${ms} ms`);
  }
});

Deno.test("probeFence() sees that a call waits for a fast GPU, within 50 ms", async () => {
  for (const msPerMib of [GPU, FASTEST]) {
    const { blocks, ms } = await probe({ waits: "call", msPerMib, sleepMs: SLEEP_MS, hostMs: 0.001 });
    assert.equal(blocks, true);
    assert.ok(ms <= 50, `${ms} ms`);
  }
});

Deno.test("probeFence() awaits where only the promise waits, however long submitting takes the host", async () => {
  for (const msPerMib of [CPU, GPU, FASTEST]) {
    for (const hostMs of [0.001, 0.1]) {
      assert.equal((await probe({ waits: "promise", msPerMib, sleepMs: 0, hostMs })).blocks, false);
    }
  }
});
