/**
 * Checks the attention kernels against their reference, over every kind of K/V memory.
 *
 * @module
 */
import { attentionCombineCpu } from "../../wgsl/attention_combine_cpu.ts";
import { attentionCpu } from "../../wgsl/attention_cpu.ts";
import type { Dtype } from "../gpu/dtype.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { Kernel } from "../gpu/kernel.ts";
import { kvRowBytes } from "../kv/strategy.ts";
import { batchOf, type Span } from "../model/batch.ts";
import { type Gpt2Config, PRESETS } from "../model/config.ts";
import { FILES, placeFiles } from "../model/files.ts";
import { kvKernel, maxSplits, SPLIT_TOKENS } from "../model/kernels.ts";
import { paddedHeads, pick } from "../model/pack.ts";
import type { Tuning } from "../model/tuning.ts";
import { compare, type Comparison } from "./comparison.ts";
import { KvBytes } from "./kv_bytes.ts";
import type { KvMemory, MakeKv } from "./kv_memory.ts";
import { compile, download, layoutsOf, runBatch, withScratch } from "./scratch.ts";
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
  const { dtype = "f32" } = item;
  const width = nHead * headDim, headDim4 = Math.ceil(headDim / 4), a4 = nHead * headDim4;
  const batch = batchOf(spans);
  const nSequences = 1 + Math.max(...spans.map(({ sequence }) => sequence));
  return await withScratch(gpu, async (scratch) => {
    const memory = makeKv(scratch, { nSequences, tokensPerSequence: N_CTX, dtype });
    const map = paddedHeads(1, nHead, headDim, headDim4);
    const contexts = new Map(spans.map(({ sequence, first, count }) => {
      const k = randomArray((first + count) * width, 1 + 10 * sequence);
      const v = randomArray((first + count) * width, 2 + 10 * sequence);
      const growing = k.map((value, i) => value * Math.floor(i / width));
      return [sequence, { k: growingKeys ? growing : k, v }];
    }));
    const config = { ...PRESETS.gpt2, nHead, headDim, nEmbd: width, nCtx: N_CTX };
    const splits = maxSplits(config);
    // K and V of the rows themselves are poison here: attention must take them from the cache.
    const qkv = new Float32Array(batch.nRows * 3 * a4 * 4).fill(NaN);
    const q = randomArray(batch.nRows * width, 3);
    for (let r = 0; r < batch.nRows; r++) qkv.set(pick(q, map, r * width), r * 3 * a4 * 4);
    const buffers = {
      x: scratch.vectors(qkv, tuning),
      kv: scratch.upload(place(memory, contexts, { width, map, nHead, dtype })),
      partial: scratch.poisoned(batch.nDecodeTiles * splits * a4 * 4),
      scale: scratch.poisoned(batch.nDecodeTiles * splits * nHead * 2),
      y: scratch.vectors(new Float32Array((batch.nRows + 1) * a4 * 4).fill(NaN), tuning),
    };
    const layouts = layoutsOf(gpu, tuning);
    const context = { device: gpu.device, layouts, config, tuning, weightsDtype: "f32" } as const;
    const group = memory.bind(buffers.kv);
    const kernels = {
      ...(batch.nPrefillTiles > 0 && { prefill: await kvKernel(context, memory.source, "prefill") }),
      ...(batch.nDecodeTiles > 0 && {
        decode: await kvKernel(context, memory.source, "decode"),
        combine: await combineKernel(gpu, config, tuning),
      }),
    };
    runBatch(gpu, batch, (recorder) => {
      if (kernels.prefill) {
        const prefillGroup = layouts.attentionPrefill.bind(buffers);
        recorder.dispatch(kernels.prefill, [prefillGroup, group], batch.nPrefillTiles, nHead);
      }
      if (!kernels.decode || !kernels.combine) return;
      const used = Math.ceil(batch.decodeContext / SPLIT_TOKENS);
      const decodeGroup = layouts.attentionDecode.bind(buffers);
      recorder.dispatch(kernels.decode, [decodeGroup, group], used, nHead, batch.nDecodeTiles);
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
    readonly tuning: Pick<Tuning, "texels">;
  },
): Promise<Comparison> {
  const headDim4 = Math.ceil(headDim / 4), a4 = nHead * headDim4, width = headDim4 * 4;
  const batch = batchOf(DECODE_SPANS);
  const config = { ...PRESETS.gpt2, nHead, headDim, nEmbd: nHead * headDim, nCtx: N_CTX };
  const splits = maxSplits(config), heads = batch.nDecodeTiles * nHead;
  return await withScratch(gpu, async (scratch) => {
    const partial = new Float32Array(heads * splits * width).fill(NaN);
    const scale = new Float32Array(heads * splits * 2).fill(NaN);
    const expected = new Float32Array((batch.nRows + 1) * a4 * 4).fill(NaN);
    DECODE_SPANS.forEach(({ first }, r) => {
      const nSplits = Math.ceil((first + 1) / SPLIT_TOKENS);
      for (let head = 0; head < nHead; head++) {
        const at = (r * nHead + head) * splits;
        const own = {
          partial: randomArray(nSplits * width, 1 + at),
          // The largest score, and a sum of weights of which the largest is 1.
          scale: randomArray(nSplits * 2, 2 + at).map((value, i) =>
            i % 2 === 0 ? 3 * value : 17 + 16 * value
          ),
        };
        partial.set(own.partial, at * width);
        scale.set(own.scale, at * 2);
        expected.set(attentionCombineCpu(own, width), (r * nHead + head) * width);
      }
    });
    const buffers = {
      partial: scratch.upload(partial),
      scale: scratch.upload(scale),
      y: scratch.vectors(new Float32Array(expected.length).fill(NaN), tuning),
    };
    const kernel = await combineKernel(gpu, config, tuning);
    runBatch(gpu, batch, (recorder) => {
      const group = layoutsOf(gpu, tuning).attentionCombine.bind(buffers);
      recorder.dispatch(kernel, [group], Math.ceil(batch.nDecodeTiles * a4 / 32));
    });
    return compare(await download(gpu, buffers.y, expected.length), expected, {
      what: `${batch.nRows} rows of ${nHead} heads of ${headDim}`,
      tolerance: TOLERANCE,
      width: a4 * 4,
    });
  });
}

function combineKernel(gpu: Gpu, config: Gpt2Config, tuning: Pick<Tuning, "texels">): Promise<Kernel> {
  return compile(gpu, {
    files: [FILES.step, ...placeFiles({ y: tuning }), FILES.attentionCombine],
    groups: [layoutsOf(gpu, tuning).attentionCombine],
    overrides: {
      N_HEAD: config.nHead,
      HEAD_DIM4: Math.ceil(config.headDim / 4),
      MAX_SPLITS: maxSplits(config),
    },
  });
}

/**
 * Lays K and V out as the kernels expect them, with poison where there is none, and replaces the contexts by what
 * they are after they were stored.
 */
function place(
  memory: KvMemory,
  contexts: ReadonlyMap<number, Record<"k" | "v", Float32Array>>,
  { width, map, nHead, dtype }: {
    readonly width: number;
    readonly map: Int32Array;
    readonly nHead: number;
    readonly dtype: Dtype;
  },
): Uint8Array<ArrayBuffer> {
  const a4 = map.length / 4;
  const poison = new Uint8Array(memory.nSlots * kvRowBytes({ a4, nHead, dtype })).fill(0xff); // NaN, or -1
  const kv = new KvBytes(poison.buffer, { dtype, a4, nHead, slotGroup: memory.slotGroup });
  const row = new Float32Array(2 * map.length);
  for (const [sequence, { k, v }] of contexts) {
    const keys = padRows(k, { width, map }), values = padRows(v, { width, map });
    for (let position = 0; position < k.length / width; position++) {
      const slot = memory.slot(sequence, position);
      row.set(keys.subarray(position * map.length, (position + 1) * map.length));
      row.set(values.subarray(position * map.length, (position + 1) * map.length), map.length);
      kv.store(slot, row);
      const stored = kv.load(slot);
      map.forEach((index, i) => {
        if (index < 0) return;
        k[position * width + index] = stored[i]!;
        v[position * width + index] = stored[map.length + i]!;
      });
    }
  }
  return poison;
}
