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
import { KV_KINDS } from "./kv_support.ts";

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
