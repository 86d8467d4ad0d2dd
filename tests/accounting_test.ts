/**
 * The ledger against reality: on a software adapter GPU memory is process memory, so that the process grows by what the
 * ledger says, and by nothing however often it decodes.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Gpu } from "../src/gpu/gpu.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { parseConfig } from "../src/model/config.ts";
import { SyntheticCheckpoint } from "../src/model/synthetic.ts";
import { NO_CACHE, paged, STATIC, type Variant, withDecoder, withRandomModel } from "./decode_support.ts";
import { runs } from "./fuzz.ts";
import { gpuTest } from "./gpu_support.ts";

const MIB = 2 ** 20;

const CONFIG = parseConfig({
  model_type: "gpt2",
  n_layer: 4,
  n_head: 8,
  n_embd: 512,
  n_ctx: 512,
  vocab_size: 8000,
  bos_token_id: 0,
  eos_token_id: 0,
}, "config.json");

/** Bytes of the process, after what is no longer reachable is gone as far as the runtime lets it. */
async function residentBytes(): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < 5; i++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    least = Math.min(least, Deno.memoryUsage().rss);
  }
  return least;
}

/** Makes a driver that allocates pages when they are first touched touch all of them. */
async function touchAll(gpu: Gpu, buffers: readonly GPUBuffer[]): Promise<void> {
  const encoder = gpu.device.createCommandEncoder();
  for (const buffer of buffers) encoder.clearBuffer(buffer);
  gpu.device.queue.submit([encoder.finish()]);
  await gpu.device.queue.onSubmittedWorkDone();
}

/** Loads a model of 66 MiB, decodes with it, and tells how far the process and the ledger have grown. */
async function load(
  gpu: Gpu,
  variant: Variant,
  nSequences: number,
): Promise<{ readonly grown: number; readonly ledger: number }> {
  const buffers: GPUBuffer[] = [];
  const { createBuffer } = gpu.device;
  gpu.device.createBuffer = (descriptor) => {
    const buffer = createBuffer.call(gpu.device, descriptor);
    if (descriptor.usage & GPUBufferUsage.COPY_DST && !(descriptor.usage & GPUBufferUsage.MAP_READ)) {
      buffers.push(buffer);
    }
    return buffer;
  };
  const before = await residentBytes();
  try {
    const model = await Gpt2.load(gpu, new SyntheticCheckpoint("wide", CONFIG, 1));
    try {
      return await withDecoder(model, { variant, nSequences }, async (decoder) => {
        gpu.device.createBuffer = createBuffer;
        decoder.begin(Array.from({ length: nSequences }, () => [1, 2, 3]));
        decoder.advance(4);
        await decoder.ids(0);
        await touchAll(gpu, buffers);
        return { grown: await residentBytes() - before, ledger: gpu.ledger.current.total };
      });
    } finally {
      model.dispose();
    }
  } finally {
    gpu.device.createBuffer = createBuffer;
  }
}

Deno.test("On a software adapter the process grows by what the ledger says, with every strategy", async () => {
  const gpu = await Gpu.open();
  if (gpu.facts.software) { // memory of hardware is not the process's
    await load(gpu, STATIC, 4); // then compilers, caches and the runtime's heap have grown to what they need
    for (const [variant, nSequences] of [[NO_CACHE, 1], [STATIC, 8], [paged(16), 16]] as const) {
      const { grown, ledger } = await load(gpu, variant, nSequences);
      assert.ok(ledger > 66 * MIB, `${ledger} bytes on the ledger`);
      assert.ok(
        Math.abs(grown - ledger) <= 0.1 * ledger + 32 * MIB,
        `${variant.name}: the process has grown by ${grown / MIB} MiB, the ledger says ${ledger / MIB} MiB`,
      );
    }
  }
  gpu.dispose();
});

gpuTest("A thousand generations leave the process as large as it was", async (gpu) => {
  await withRandomModel(gpu, async (model) => {
    for (const variant of [STATIC, paged(7)]) {
      await withDecoder(model, { variant }, async (decoder) => {
        const generate = async (times: number) => {
          for (let i = 0; i < times; i++) {
            decoder.begin([[1 + i % 100, 2, 3]]);
            decoder.advance(4);
            if (i % 10 === 9) await decoder.ids(3);
          }
        };
        await generate(300);
        const before = await residentBytes();
        await generate(runs(500));
        const grown = await residentBytes() - before;
        assert.ok(grown < 16 * MIB, `${variant.name}: grown by ${grown / MIB} MiB`);
      });
    }
  });
});
