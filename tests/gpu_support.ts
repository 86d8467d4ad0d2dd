/**
 * What GPU tests share: one GPU per test file, seeded values, buffers that are poisoned before a kernel runs, and
 * comparisons that say where and by how much two arrays differ.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Gpu } from "../src/gpu/gpu.ts";
import { createKernel, type Kernel, type KernelSpec } from "../src/gpu/kernel.ts";
import type { LedgerBuffer } from "../src/gpu/ledger.ts";
import { readBuffer } from "../src/gpu/readback.ts";
import { Recorder } from "../src/gpu/recorder.ts";
import type { Batch } from "../src/model/batch.ts";
import { seededRandom, shuffled } from "../src/measure/random.ts";
import { createLayouts, type Layouts } from "../src/model/kernels.ts";
import { pick } from "../src/model/pack.ts";
import { StepTables } from "../src/model/step_tables.ts";
import { permitted } from "./permitted.ts";

// Opening takes a tenth of a second, so that a file's tests share one GPU.
let opened: Promise<Gpu> | undefined;

/**
 * Registers a test that gets the file's GPU. The test fails where there is no adapter, where the device has
 * reported an error, and where a buffer is still alive at its end.
 *
 * @param options `needs`: permissions without which the test is ignored.
 */
export function gpuTest(
  name: string,
  body: (gpu: Gpu) => Promise<void> | void,
  { needs = [] }: { readonly needs?: readonly Deno.PermissionName[] } = {},
): void {
  const ignore = !permitted(...needs);
  Deno.test({ name, ignore }, async () => {
    const gpu = await (opened ??= Gpu.open());
    try {
      await body(gpu);
      gpu.assertHealthy();
      gpu.ledger.assertEmpty();
    } catch (error) {
      opened = undefined; // what this test left behind must not fail the next one
      throw error;
    }
  });
}

/** Buffers of one test, freed together. */
export class Scratch {
  readonly gpu: Gpu;
  readonly #buffers: LedgerBuffer[] = [];

  /** @param gpu The GPU to allocate on. */
  constructor(gpu: Gpu) {
    this.gpu = gpu;
  }

  /** A buffer that holds `values`. */
  upload(values: ArrayBufferView<ArrayBuffer>, usage = 0): LedgerBuffer {
    const buffer = this.gpu.ledger.createBuffer({
      label: "test",
      category: "activations",
      bytes: values.byteLength,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST | usage,
    });
    this.#buffers.push(buffer);
    // Deno 2.9.6 panics where there is nothing to write.
    if (values.byteLength > 0) this.gpu.device.queue.writeBuffer(buffer.buffer, 0, values);
    return buffer;
  }

  /** A buffer of `length` NaNs: what a kernel doesn't write is seen, and so is what it shouldn't have read. */
  poisoned(length: number): LedgerBuffer {
    return this.upload(new Float32Array(length).fill(NaN));
  }

  /** Frees the buffers. */
  dispose(): void {
    for (const buffer of this.#buffers) buffer.destroy();
  }
}

/** Reads a buffer of float32. */
export async function download(gpu: Gpu, { buffer, bytes }: LedgerBuffer): Promise<Float32Array> {
  return new Float32Array(await readBuffer(gpu, buffer, 0, bytes));
}

/** Compiles a kernel of the model: `groups` are those after `@group(0)`. */
export function compile(gpu: Gpu, spec: KernelSpec): Promise<Kernel> {
  return createKernel(gpu.device, { ...spec, groups: [layoutsOf(gpu).step, ...spec.groups] });
}

const layoutsByGpu = new WeakMap<Gpu, Layouts>();

/** The model's layouts on this GPU. */
export function layoutsOf(gpu: Gpu): Layouts {
  const layouts = layoutsByGpu.get(gpu) ?? createLayouts(gpu.device);
  layoutsByGpu.set(gpu, layouts);
  return layouts;
}

/** Runs what `record` records with the tables of a batch as `@group(0)`. */
export function runBatch(gpu: Gpu, batch: Batch, record: (recorder: Recorder) => void): void {
  const limits = { maxRows: batch.nRows, maxSpans: batch.nRows, maxOutputs: batch.nOutputs };
  const tables = new StepTables(gpu, layoutsOf(gpu).step, limits, 1);
  try {
    const recorder = new Recorder(gpu.device);
    const offsets = tables.set(0, batch);
    tables.upload(1);
    recorder.share(tables.group, offsets);
    record(recorder);
    recorder.submit();
  } finally {
    tables.dispose(); // WebGPU frees it once what was submitted is done
  }
}

/** `length` values, uniform in [-1, 1). */
export function randomArray(length: number, seed: number): Float32Array<ArrayBuffer> {
  const next = seededRandom(seed);
  return Float32Array.from({ length }, () => 2 * next() - 1);
}

/** 0 … n - 1 in a random order. */
export function shuffledRange(n: number, seed: number): number[] {
  return shuffled([...Array(n).keys()], seededRandom(seed));
}

/** Pads each row of a plain array as `map` says (see `pack.ts`). */
export function padRows(
  values: ArrayLike<number>,
  { width, map }: { readonly width: number; readonly map: Int32Array },
): Float32Array<ArrayBuffer> {
  const plain = Float32Array.from(values);
  const padded = new Float32Array(plain.length / width * map.length);
  for (let r = 0; r < plain.length / width; r++) padded.set(pick(plain, map, r * width), r * map.length);
  return padded;
}

/**
 * Checks that every element is within `tolerance`, and that what is expected to be NaN, poison that no kernel may
 * touch, still is.
 *
 * @param width Columns of a row, for the message.
 */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { tolerance, name, width = expected.length }: { tolerance: number; name: string; width?: number },
): void {
  assert.ok(
    actual.length >= expected.length,
    `${name}: ${actual.length} elements, wanted ${expected.length}`,
  );
  let worst = 0, at = -1;
  for (let i = 0; i < expected.length; i++) {
    const poisoned = Number.isNaN(expected[i]);
    const difference = poisoned
      ? (Number.isNaN(actual[i]) ? 0 : Infinity)
      : Math.abs(actual[i]! - expected[i]!);
    if (difference <= worst) continue; // a NaN that isn't expected is not
    worst = Number.isNaN(difference) ? Infinity : difference;
    at = i;
    if (worst === Infinity) break;
  }
  if (worst <= tolerance) return;
  const place = `row ${Math.floor(at / width)}, column ${at % width}`;
  assert.fail(
    `${name}: ${actual[at]} at ${place}, wanted ${expected[at]} (off by ${worst}, tolerance ${tolerance})`,
  );
}
