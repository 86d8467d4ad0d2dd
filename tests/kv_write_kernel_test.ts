/**
 * `kv_write.wgsl` copies K and V bit by bit, to the right slots of every kind of K/V memory.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Dtype } from "../src/gpu/dtype.ts";
import type { Gpu } from "../src/gpu/gpu.ts";
import { batchOf } from "../src/model/batch.ts";
import { PRESETS } from "../src/model/config.ts";
import { createKvKernels } from "../src/model/kernels.ts";
import { paddedHeads } from "../src/model/pack.ts";
import { SOFTWARE_TUNING } from "../src/model/tuning.ts";
import { gpuTest, layoutsOf, padRows, randomArray, runBatch, Scratch } from "./gpu_support.ts";
import { readBuffer } from "../src/gpu/readback.ts";
import { kvRowBytes } from "../src/kv/strategy.ts";
import { KvBytes } from "./kv_bytes.ts";
import { KV_KINDS, type MakeKv } from "./kv_support.ts";

/** What bytes are before a kernel runs. */
const POISON = 0xa5;

const N_CTX = 70;
const SPANS = [
  { sequence: 2, first: 5, count: 65, outputs: 0 },
  { sequence: 0, first: 69, count: 1, outputs: 0 },
  { sequence: 1, first: 0, count: 7, outputs: 0 },
  { sequence: 3, first: 0, count: 1, outputs: 0 },
];

/** A head of one vector, and heads that are padded. */
const HEADS = [{ nHead: 1, headDim: 4 }, { nHead: 3, headDim: 18 }];

interface Case {
  readonly nHead: number;
  readonly headDim: number;
  readonly dtype: Dtype;
  readonly makeKv: MakeKv;
}

/** Writes the rows of {@link SPANS} over poison; K of the first row is zero. */
async function write(gpu: Gpu, { nHead, headDim, dtype, makeKv }: Case) {
  const scratch = new Scratch(gpu);
  const width = nHead * headDim, headDim4 = Math.ceil(headDim / 4), a4 = nHead * headDim4;
  const batch = batchOf(SPANS);
  const memory = makeKv(scratch, { nSequences: 4, tokensPerSequence: N_CTX, dtype });
  const qkv = randomArray(batch.nRows * 3 * width, 1);
  qkv.fill(0, width, 2 * width);
  const layouts = layoutsOf(gpu);
  const config = { ...PRESETS.gpt2, nHead, headDim, nEmbd: width, nCtx: N_CTX };
  const context = {
    device: gpu.device,
    layouts,
    config,
    tuning: SOFTWARE_TUNING,
    weightsDtype: "f32" as const,
  };
  const kernels = await createKvKernels(context, memory.source);
  const padded = padRows(qkv, { width: 3 * width, map: paddedHeads(3, nHead, headDim, headDim4) });
  const kv = scratch.upload(new Uint8Array(memory.nSlots * kvRowBytes({ a4, nHead, dtype })).fill(POISON));
  const group = layouts.kvWrite.bind({ qkv: scratch.upload(padded) });
  runBatch(gpu, batch, (recorder) => {
    recorder.dispatch(kernels.write, [group, memory.bind(kv)], Math.ceil(batch.nRows * 2 * nHead / 32));
  });
  const bytes = await readBuffer(gpu, kv.buffer, 0, kv.bytes);
  scratch.dispose();
  /** Slots that were written, each with its K and V: [2, A4 * 4]. */
  const rows = new Map<number, Float32Array<ArrayBuffer>>();
  let row = 0;
  for (const { sequence, first, count } of SPANS) {
    for (let position = first; position < first + count; position++, row++) {
      rows.set(memory.slot(sequence, position), padded.slice((row * 3 + 1) * a4 * 4, (row * 3 + 3) * a4 * 4));
    }
  }
  return { bytes, rows, nSlots: memory.nSlots, a4 };
}

for (const [kind, makeKv] of KV_KINDS) {
  gpuTest(`kv_write.wgsl copies K and V to their slots and touches no other (${kind})`, async (gpu) => {
    for (const heads of HEADS) {
      const { bytes, rows, nSlots, a4 } = await write(gpu, { ...heads, dtype: "f32", makeKv });
      const expected = new Uint8Array(nSlots * 8 * a4 * 4).fill(POISON);
      for (const [slot, values] of rows) expected.set(new Uint8Array(values.buffer), slot * 8 * a4 * 4);
      assert.deepEqual(new Uint8Array(bytes), expected);
    }
  });
  gpuTest(`kv_write.wgsl stores float16 and int8 as the reference does (${kind})`, async (gpu) => {
    for (const dtype of ["f16", "int8"] as const) {
      for (const heads of HEADS) {
        const { bytes, rows, nSlots, a4 } = await write(gpu, { ...heads, dtype, makeKv });
        const stored = new KvBytes(bytes, { dtype, a4, nHead: heads.nHead });
        for (let slot = 0; slot < nSlots; slot++) {
          const values = rows.get(slot);
          if (values) stored.assertEquals(slot, values);
          else stored.assertAll(slot, POISON);
        }
      }
    }
  });
}
