/**
 * Checks that `kv_write.wgsl` stores K and V in the right slots of every kind of K/V memory and touches no other.
 *
 * @module
 */
import { DEFAULT_DTYPE, type Dtype, formatOf } from "../formats/registry.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { batchOf } from "../model/batch.ts";
import { PRESETS } from "../checkpoint/config.ts";
import { kvKernel } from "../model/kernels.ts";
import { paddedHeads } from "../model/pack.ts";
import type { Tuning } from "../model/tuning.ts";
import type { Comparison } from "./comparison.ts";
import type { MakeKv } from "./kv_memory.ts";
import { layoutsOf, runBatch, withScratch } from "./scratch.ts";
import { padRows, randomArray } from "./values.ts";

/** What bytes are before the kernel runs. */
const POISON = 0xa5;

const N_CTX = 70;
const SPANS = [
  { sequence: 2, first: 5, count: 65, outputs: 0 },
  { sequence: 0, first: 69, count: 1, outputs: 0 },
  { sequence: 1, first: 0, count: 7, outputs: 0 },
  { sequence: 3, first: 0, count: 1, outputs: 0 },
];

/** What is checked. */
export interface KvWriteCase {
  readonly nHead: number;
  readonly headDim: number;
  /** How K and V are stored. */
  readonly dtype: Dtype;
  /** Where K and V lie. */
  readonly makeKv: MakeKv;
  /** Where they come from. */
  readonly tuning: Tuning;
}

/**
 * Writes the rows of four sequences over poison; K of the first row is zero. Errors are in units of what rounding
 * explains: float32 is copied bit by bit.
 *
 * @throws {KvbenchError} If it does not compile or the device fails.
 */
export async function checkKvWrite(gpu: Gpu, item: KvWriteCase): Promise<Comparison> {
  const { nHead, headDim, dtype, makeKv, tuning } = item;
  const width = nHead * headDim, headDim4 = Math.ceil(headDim / 4), a4 = nHead * headDim4;
  const batch = batchOf(SPANS);
  return await withScratch(gpu, async (scratch) => {
    const memory = makeKv(
      scratch,
      { nSequences: 4, tokensPerSequence: N_CTX, nHead, a4, dtype, texels: tuning.texels },
      POISON,
    );
    const qkv = randomArray(batch.nRows * 3 * width, 1);
    qkv.fill(0, width, 2 * width);
    const layouts = layoutsOf(gpu, tuning);
    const config = { ...PRESETS.gpt2, nHead, headDim, nEmbd: width, nCtx: N_CTX };
    const context = {
      device: gpu.device,
      layouts,
      config,
      tuning,
      weightsDtype: DEFAULT_DTYPE,
    } as const;
    const kernel = await kvKernel(context, memory.source, "write");
    const padded = padRows(qkv, { width: 3 * width, map: paddedHeads(3, nHead, headDim, headDim4) });
    const { write } = memory.upload();
    const group = layouts.kvWrite.bind({ x: scratch.vectors(padded, tuning) });
    runBatch(gpu, batch, (recorder) => {
      recorder.dispatch(kernel, [group, write], Math.ceil(batch.nRows * 2 * nHead / 32));
    });
    const stored = await memory.download();
    /** Slots that were to be written, each with its K and V: [2, A4 * 4]. */
    const rows = new Map<number, Float32Array>();
    let row = 0;
    for (const { sequence, first, count } of SPANS) {
      for (let position = first; position < first + count; position++, row++) {
        const values = padded.subarray((row * 3 + 1) * a4 * 4, (row * 3 + 3) * a4 * 4);
        rows.set(memory.slot(sequence, position), values);
      }
    }
    let largestError = 0, at = "every slot is right";
    for (let slot = 0; slot < memory.nSlots; slot++) {
      const values = rows.get(slot);
      const error = values ? stored.error(slot, values) : stored.isFilledWith(slot, POISON) ? 0 : Infinity;
      if (error <= largestError) continue;
      largestError = error;
      at = values ? `slot ${slot}, which was to be written` : `slot ${slot}, which was not to be touched`;
    }
    const tolerance = formatOf(dtype).exact ? 0 : 1;
    return { what: `${batch.nRows} rows of ${nHead} heads of ${headDim}`, largestError, tolerance, at };
  });
}
