/**
 * The fence: what this runtime's kind is, that the GPU is done when it has been waited for, and that the other kind
 * is awaited.
 */
import assert from "node:assert/strict";
import { Fence } from "../src/gpu/fence.ts";
import type { Gpu } from "../src/gpu/gpu.ts";
import type { LedgerBuffer } from "../src/gpu/ledger.ts";
import { readBuffer } from "../src/gpu/readback.ts";
import { Scratch } from "../src/check/scratch.ts";
import { gpuTest } from "./gpu_support.ts";

const COPY_BYTES = 16 << 20;
/** Enough of the GPU's time to tell it from a sleep of the runtime's, about 11 ms. */
const WORK_MS = 60;
/** What the runtime's sleep and a copy of 4 bytes may take together. */
const READBACK_MS = 40;
/** Most rounds until one goes through without being held up by other processes. */
const ROUNDS = 12;

/** Submits copies and returns without waiting. */
function submitCopies(gpu: Gpu, [from, to]: readonly [LedgerBuffer, LedgerBuffer], copies: number): void {
  const encoder = gpu.device.createCommandEncoder();
  for (let i = 0; i < copies; i++) encoder.copyBufferToBuffer(from.buffer, 0, to.buffer, 0, COPY_BYTES);
  gpu.device.queue.submit([encoder.finish()]);
}

async function timed(body: () => unknown): Promise<number> {
  const start = performance.now();
  await body();
  return performance.now() - start;
}

/** Two buffers, and how many copies between them take about `WORK_MS`, as `onSubmittedWorkDone()` measures it. */
async function work(scratch: Scratch): Promise<{ pair: [LedgerBuffer, LedgerBuffer]; copies: number }> {
  const pair: [LedgerBuffer, LedgerBuffer] = [
    scratch.upload(new Float32Array(COPY_BYTES / 4).fill(7)),
    scratch.poisoned(COPY_BYTES / 4),
  ];
  const { queue } = scratch.gpu.device;
  await queue.onSubmittedWorkDone();
  for (let copies = 8;; copies *= 2) {
    // The shortest of three here too: a hold-up would pass for work.
    let shortest = Infinity;
    for (let i = 0; i < 3; i++) {
      submitCopies(scratch.gpu, pair, copies);
      shortest = Math.min(shortest, await timed(() => queue.onSubmittedWorkDone()));
    }
    if (shortest >= WORK_MS + READBACK_MS) return { pair, copies };
  }
}

gpuTest("probeFence() finds that a call waits for the GPU in Deno", ({ fence }) => {
  assert.equal(fence.blocks, true);
  assert.equal(fence.wait(), undefined, "there is nothing to await");
});

for (const blocks of [true, false]) {
  const kind = blocks ? "blocks" : "is awaited";
  gpuTest(`Fence.wait() returns when the work is done, where it ${kind}`, async (gpu) => {
    const scratch = new Scratch(gpu);
    const { pair, copies } = await work(scratch);
    const fence = new Fence(gpu.device.queue, blocks);
    const readLast = async () =>
      assert.deepEqual(
        new Float32Array(await readBuffer(gpu, pair[1].buffer, COPY_BYTES - 4, 4)),
        Float32Array.of(7),
      );
    // Another process may hold up any single round, but it can't make one faster.
    const fastest = { wait: Infinity, readAfterFence: Infinity, readWithoutFence: Infinity };
    const note = (key: keyof typeof fastest, ms: number) => fastest[key] = Math.min(fastest[key], ms);
    for (let i = 0; i < ROUNDS && !(fastest.readAfterFence < fastest.readWithoutFence / 2); i++) {
      submitCopies(gpu, pair, copies);
      note("readWithoutFence", await timed(readLast));
      submitCopies(gpu, pair, copies);
      note("wait", await timed(() => fence.wait()));
      note("readAfterFence", await timed(readLast));
    }
    const { wait, readAfterFence, readWithoutFence } = fastest;
    assert.ok(wait >= WORK_MS / 2, `the fence took ${wait} ms for work of about ${WORK_MS} ms or more`);
    assert.ok(
      readAfterFence < readWithoutFence / 2,
      `a readback took ${readAfterFence} ms after the fence and ${readWithoutFence} ms without it`,
    );
    scratch.dispose();
  });
}

gpuTest("A Fence that is not to block gives a promise to await", async (gpu) => {
  const waiting = new Fence(gpu.device.queue, false).wait();
  assert.ok(waiting instanceof Promise);
  assert.equal(await waiting, undefined);
});

gpuTest("Fence.costMs() of a fence that blocks is far below the runtime's sleep", async ({ fence }) => {
  assert.ok(await fence.costMs() < 5);
});
