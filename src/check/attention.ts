/**
 * Checks the attention kernels against their reference, over every kind of K/V memory.
 *
 * @module
 */
import { attentionCombineCpu } from "../../wgsl/ops/attention/combine_reference.ts";
import { attentionCpu } from "../../wgsl/ops/attention/reference.ts";
import { DEFAULT_DTYPE, type Dtype } from "../formats/registry.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { batchOf, type Span } from "../model/batch.ts";
import { PRESETS } from "../checkpoint/config.ts";
import { combineKernel, kvKernel, splitsOf } from "../model/kernels.ts";
import { paddedHeads, pick } from "../model/pack.ts";
import type { Tuning } from "../model/tuning.ts";
import { compare, type Comparison } from "./comparison.ts";
import type { KvMemory, MakeKv } from "./kv_memory.ts";
import { download, layoutsOf, runBatch, withScratch } from "./scratch.ts";
import { padRows, randomArray } from "./values.ts";

/**
 * Results are weighted means of values below 1. Scores are sums of at most 128 products, scaled: 1e-6 off, and so
 * are the weights, relatively; 300 of them add up to 1.
 */
const TOLERANCE = 4e-6;

const N_CTX = 320;

/** Contexts of 1, 7, 63, 64, 65, 129 and 300 tokens, a row each. */
export const DECODE_SPANS: readonly Span[] = [1, 7, 63, 64, 65, 129, 300].map(decode);

/** Few rows and many, from the start and behind a context. */
export const PREFILL_SPANS: readonly Span[] = [
  prefill(7, 0, 2),
  prefill(8, 0, 7),
  prefill(9, 55, 8),
  prefill(10, 55, 9),
  prefill(11, 0, 65),
  prefill(12, 120, 9),
  prefill(13, 298, 2),
];

function decode(context: number, sequence: number): Span {
  return { sequence, first: context - 1, count: 1, outputs: 0 };
}

/** Rows of one sequence that attend together. */
export function prefill(sequence: number, first: number, count: number): Span {
  return { sequence, first, count, outputs: 0 };
}

/** What is checked. */
export interface AttentionCase {
  readonly nHead: number;
  readonly headDim: number;
  readonly tuning: Tuning;
  /** Where K and V lie. */
  readonly makeKv: MakeKv;
  /** Rows that attend, of sequences with at most 320 tokens. */
  readonly spans: readonly Span[];
  /** Multiplies the key of each position by it, so that scores grow along the context. */
  readonly growingKeys?: boolean;
  readonly tolerance?: number;
  /** How K and V are stored: in float32, unless told otherwise. */
  readonly dtype?: Dtype;
}

/**
 * Runs one batch's attention over random K and V and compares every row; the cache holds poison everywhere else.
 *
 * @throws {KvbenchError} If a kernel does not compile or the device fails.
 */
export async function checkAttention(gpu: Gpu, item: AttentionCase): Promise<Comparison> {
  const { nHead, headDim, tuning, makeKv, spans, growingKeys = false, tolerance = TOLERANCE } = item;
  const { dtype = DEFAULT_DTYPE } = item;
  const width = nHead * headDim, headDim4 = Math.ceil(headDim / 4), a4 = nHead * headDim4;
  const batch = batchOf(spans);
  const nSequences = 1 + Math.max(...spans.map(({ sequence }) => sequence));
  return await withScratch(gpu, async (scratch) => {
    const need = { nSequences, tokensPerSequence: N_CTX, nHead, a4, dtype, texels: tuning.texels };
    const memory = makeKv(scratch, need, 0xff); // NaN, or -1
    const map = paddedHeads(1, nHead, headDim, headDim4);
    const contexts = new Map(spans.map(({ sequence, first, count }) => {
      const k = randomArray((first + count) * width, 1 + 10 * sequence);
      const v = randomArray((first + count) * width, 2 + 10 * sequence);
      const growing = k.map((value, i) => value * Math.floor(i / width));
      return [sequence, { k: growingKeys ? growing : k, v }];
    }));
    const config = { ...PRESETS.gpt2, nHead, headDim, nEmbd: width, nCtx: N_CTX };
    const splits = splitsOf(config.nCtx, tuning);
    place(memory, contexts, { width, map });
    // K and V of the rows themselves are poison here: attention must take them from the cache.
    const qkv = new Float32Array(batch.nRows * 3 * a4 * 4).fill(NaN);
    const q = randomArray(batch.nRows * width, 3);
    for (let r = 0; r < batch.nRows; r++) qkv.set(pick(q, map, r * width), r * 3 * a4 * 4);
    const buffers = {
      x: scratch.vectors(qkv, tuning),
      partial: scratch.poisoned(batch.nDecodeTiles * splits * nHead * (headDim4 + 1) * 4),
      y: scratch.vectors(new Float32Array((batch.nRows + 1) * a4 * 4).fill(NaN), tuning),
    };
    const layouts = layoutsOf(gpu, tuning);
    const context = { device: gpu.device, layouts, config, tuning, weightsDtype: DEFAULT_DTYPE } as const;
    const { read } = memory.upload();
    const kernels = {
      ...(batch.nPrefillTiles > 0 && { prefill: await kvKernel(context, memory.source, "prefill") }),
      ...(batch.nDecodeTiles > 0 && {
        decode: await kvKernel(context, memory.source, "decode"),
        ...(tuning.splitTokens > 0 && { combine: await combineKernel(context) }),
      }),
    };
    runBatch(gpu, batch, (recorder) => {
      if (kernels.prefill) {
        const prefillGroup = layouts.attentionPrefill.bind(buffers);
        recorder.dispatch(kernels.prefill, [prefillGroup, read], batch.nPrefillTiles, nHead);
      }
      if (!kernels.decode) return;
      const used = splitsOf(batch.decodeContext, tuning);
      const decodeGroup = layouts[kernels.combine ? "attentionSplit" : "attentionWhole"].bind(buffers);
      recorder.dispatch(kernels.decode, [decodeGroup, read], used, nHead, batch.nDecodeTiles);
      if (!kernels.combine) return;
      const combineGroup = layouts.attentionCombine.bind(buffers);
      recorder.dispatch(kernels.combine, [combineGroup], Math.ceil(batch.nDecodeTiles * a4 / 32));
    });
    const rows = spans.flatMap(({ sequence, first, count }) =>
      Array.from({ length: count }, (_, i) => ({ sequence, nPositions: first + i + 1 }))
    );
    const expected = new Float32Array((batch.nRows + 1) * a4 * 4).fill(NaN);
    rows.forEach(({ sequence, nPositions }, r) => {
      const row = q.subarray(r * width, (r + 1) * width);
      const y = attentionCpu(row, contexts.get(sequence)!, { nHead, headDim, nPositions });
      expected.set(padRows(y, { width, map }), r * a4 * 4);
    });
    return compare(await download(gpu, buffers.y, expected.length), expected, {
      what: `${batch.nRows} rows of ${nHead} heads of ${headDim}`,
      tolerance,
      width: a4 * 4,
    });
  });
}

/**
 * Joins made-up splits with `attention_combine.wgsl`, for the contexts of {@linkcode DECODE_SPANS}.
 *
 * @throws {KvbenchError} If it does not compile or the device fails.
 */
export async function checkAttentionCombine(
  gpu: Gpu,
  { nHead, headDim, tuning }: Pick<AttentionCase, "nHead" | "headDim"> & {
    readonly tuning: Tuning;
  },
): Promise<Comparison> {
  const headDim4 = Math.ceil(headDim / 4), a4 = nHead * headDim4, width = headDim4 * 4;
  const batch = batchOf(DECODE_SPANS);
  const config = { ...PRESETS.gpt2, nHead, headDim, nEmbd: nHead * headDim, nCtx: N_CTX };
  const splits = splitsOf(config.nCtx, tuning), heads = batch.nDecodeTiles * nHead;
  return await withScratch(gpu, async (scratch) => {
    const partial = new Float32Array(heads * splits * (width + 4)).fill(NaN);
    const expected = new Float32Array((batch.nRows + 1) * a4 * 4).fill(NaN);
    DECODE_SPANS.forEach(({ first }, r) => {
      const nSplits = splitsOf(first + 1, tuning);
      for (let head = 0; head < nHead; head++) {
        const at = (r * nHead + head) * splits;
        const own = {
          partial: randomArray(nSplits * width, 1 + at),
          // The largest score, and a sum of weights of which the largest is 1.
          scale: randomArray(nSplits * 2, 2 + at).map((value, i) =>
            i % 2 === 0 ? 3 * value : 17 + 16 * value
          ),
        };
        for (let split = 0; split < nSplits; split++) {
          const first = (at + split) * (width + 4);
          partial.set(own.partial.subarray(split * width, (split + 1) * width), first);
          partial.set(own.scale.subarray(split * 2, split * 2 + 2), first + width);
        }
        expected.set(attentionCombineCpu(own, width), (r * nHead + head) * width);
      }
    });
    const buffers = {
      partial: scratch.upload(partial),
      y: scratch.vectors(new Float32Array(expected.length).fill(NaN), tuning),
    };
    const layouts = layoutsOf(gpu, tuning);
    const context = { device: gpu.device, layouts, config, tuning, weightsDtype: DEFAULT_DTYPE } as const;
    const kernel = await combineKernel(context);
    runBatch(gpu, batch, (recorder) => {
      const group = layouts.attentionCombine.bind(buffers);
      recorder.dispatch(kernel, [group], Math.ceil(batch.nDecodeTiles * a4 / 32));
    });
    return compare(await download(gpu, buffers.y, expected.length), expected, {
      what: `${batch.nRows} rows of ${nHead} heads of ${headDim}`,
      tolerance: TOLERANCE,
      width: a4 * 4,
    });
  });
}

/** Stores K and V where the kernels expect them, and replaces the contexts by what they are after that. */
function place(
  { bytes, slot }: KvMemory,
  contexts: ReadonlyMap<number, Record<"k" | "v", Float32Array>>,
  { width, map }: { readonly width: number; readonly map: Int32Array },
): void {
  const row = new Float32Array(2 * map.length);
  for (const [sequence, { k, v }] of contexts) {
    const keys = padRows(k, { width, map }), values = padRows(v, { width, map });
    for (let position = 0; position < k.length / width; position++) {
      const at = slot(sequence, position);
      row.set(keys.subarray(position * map.length, (position + 1) * map.length));
      row.set(values.subarray(position * map.length, (position + 1) * map.length), map.length);
      bytes.store(at, row);
      const stored = bytes.load(at);
      map.forEach((index, i) => {
        if (index < 0) return;
        k[position * width + index] = stored[i]!;
        v[position * width + index] = stored[map.length + i]!;
      });
    }
  }
}
