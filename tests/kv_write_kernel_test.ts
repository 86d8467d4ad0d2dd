/**
 * `kv_write.wgsl` copies K and V bit by bit, to the right slots of every kind of K/V memory.
 *
 * @module
 */
import { batchOf } from "../src/model/batch.ts";
import { PRESETS } from "../src/model/config.ts";
import { createKvKernels } from "../src/model/kernels.ts";
import { paddedHeads } from "../src/model/pack.ts";
import { SOFTWARE_TUNING } from "../src/model/tuning.ts";
import {
  assertClose,
  download,
  gpuTest,
  layoutsOf,
  padRows,
  randomArray,
  runBatch,
  Scratch,
} from "./gpu_support.ts";
import { readBuffer } from "../src/gpu/readback.ts";
import { kvRowBytes } from "../src/kv/strategy.ts";
import { KvBytes } from "./kv_bytes.ts";
import { KV_KINDS } from "./kv_support.ts";

/** What bytes are before a kernel runs. */
const POISON = 0xa5;

const N_CTX = 70;
const SPANS = [
  { sequence: 2, first: 5, count: 65, outputs: 0 },
  { sequence: 0, first: 69, count: 1, outputs: 0 },
  { sequence: 1, first: 0, count: 7, outputs: 0 },
  { sequence: 3, first: 0, count: 1, outputs: 0 },
];

for (const [kind, makeKv] of KV_KINDS) {
  gpuTest(`kv_write.wgsl copies K and V to their slots and touches no other (${kind})`, async (gpu) => {
    for (const { nHead, headDim } of [{ nHead: 1, headDim: 4 }, { nHead: 3, headDim: 18 }]) {
      const scratch = new Scratch(gpu);
      const width = nHead * headDim, headDim4 = Math.ceil(headDim / 4), a4 = nHead * headDim4;
      const batch = batchOf(SPANS);
      const memory = makeKv(scratch, { nSequences: 4, tokensPerSequence: N_CTX });
      const qkv = randomArray(batch.nRows * 3 * width, 1);
      const layouts = layoutsOf(gpu);
      const config = { ...PRESETS.gpt2, nHead, headDim, nEmbd: width, nCtx: N_CTX };
      const context = {
        device: gpu.device,
        layouts,
        config,
        tuning: SOFTWARE_TUNING,
        weightsDtype: "f32" as const,
      };
      const { write } = await createKvKernels(context, memory.source);
      const map = paddedHeads(3, nHead, headDim, headDim4);
      const padded = padRows(qkv, { width: 3 * width, map });
      const kv = scratch.poisoned(memory.nSlots * 2 * a4 * 4);
      const group = layouts.kvWrite.bind({ qkv: scratch.upload(padded) });
      runBatch(gpu, batch, (recorder) => {
        recorder.dispatch(write, [group, memory.bind(kv)], Math.ceil(batch.nRows * 2 * nHead / 32));
      });

      const expected = new Float32Array(memory.nSlots * 2 * a4 * 4).fill(NaN);
      let row = 0;
      for (const { sequence, first, count } of SPANS) {
        for (let position = first; position < first + count; position++, row++) {
          const from = (row * 3 + 1) * a4 * 4;
          expected.set(
            padded.subarray(from, from + 2 * a4 * 4),
            memory.slot(sequence, position) * 2 * a4 * 4,
          );
        }
      }
      assertClose(await download(gpu, kv), expected, { tolerance: 0, name: kind, width: 2 * a4 * 4 });
      scratch.dispose();
    }
  });
}

for (const [kind, makeKv] of KV_KINDS) {
  gpuTest(`kv_write.wgsl stores float16 and int8 as the reference does (${kind})`, async (gpu) => {
    for (const dtype of ["f16", "int8"] as const) {
      for (const { nHead, headDim } of [{ nHead: 1, headDim: 4 }, { nHead: 3, headDim: 18 }]) {
        const scratch = new Scratch(gpu);
        const width = nHead * headDim, headDim4 = Math.ceil(headDim / 4), a4 = nHead * headDim4;
        const batch = batchOf(SPANS);
        const memory = makeKv(scratch, { nSequences: 4, tokensPerSequence: N_CTX, dtype });
        const qkv = randomArray(batch.nRows * 3 * width, 1);
        qkv.fill(0, width, 2 * width); // K of the first row
        const layouts = layoutsOf(gpu);
        const config = { ...PRESETS.gpt2, nHead, headDim, nEmbd: width, nCtx: N_CTX };
        const context = {
          device: gpu.device,
          layouts,
          config,
          tuning: SOFTWARE_TUNING,
          weightsDtype: "f32" as const,
        };
        const { write } = await createKvKernels(context, memory.source);
        const padded = padRows(qkv, { width: 3 * width, map: paddedHeads(3, nHead, headDim, headDim4) });
        const rowBytes = kvRowBytes({ a4, nHead, dtype });
        const kv = scratch.upload(new Uint8Array(memory.nSlots * rowBytes).fill(POISON));
        const group = layouts.kvWrite.bind({ qkv: scratch.upload(padded) });
        runBatch(gpu, batch, (recorder) => {
          recorder.dispatch(write, [group, memory.bind(kv)], Math.ceil(batch.nRows * 2 * nHead / 32));
        });
        const stored = new KvBytes(await readBuffer(gpu, kv.buffer, 0, kv.bytes), { dtype, a4, nHead });
        const written = new Set<number>();
        let row = 0;
        for (const { sequence, first, count } of SPANS) {
          for (let position = first; position < first + count; position++, row++) {
            const slot = memory.slot(sequence, position);
            written.add(slot);
            const values = padded.subarray((row * 3 + 1) * a4 * 4, (row * 3 + 3) * a4 * 4);
            stored.assertEquals(slot, values);
          }
        }
        for (let slot = 0; slot < memory.nSlots; slot++) {
          if (!written.has(slot)) stored.assertAll(slot, POISON);
        }
        scratch.dispose();
      }
    }
  });
}
