/**
 * The attention kernels against their reference: one batch mixes prefill tiles and
 * decode tiles of several sequences, over every kind of K/V memory.
 *
 * @module
 */
import type { Gpu } from "../src/gpu/gpu.ts";
import type { Dtype } from "../src/gpu/dtype.ts";
import { kvRowBytes } from "../src/kv/strategy.ts";
import { batchOf, type Span } from "../src/model/batch.ts";
import { PRESETS } from "../src/model/config.ts";
import { FILES } from "../src/model/files.ts";
import { createKvKernels, maxSplits, SPLIT_TOKENS } from "../src/model/kernels.ts";
import { paddedHeads, pick } from "../src/model/pack.ts";
import { HARDWARE_TUNING, SOFTWARE_TUNING, type Tuning } from "../src/model/tuning.ts";
import { attentionCpu } from "../wgsl/attention_cpu.ts";
import {
  assertClose,
  compile,
  download,
  gpuTest,
  layoutsOf,
  padRows,
  randomArray,
  runBatch,
  Scratch,
} from "./gpu_support.ts";
import { KvBytes } from "./kv_bytes.ts";
import { contiguousKv, KV_KINDS, type KvMemory, type MakeKv, pagedKv } from "./kv_support.ts";

/**
 * Results are weighted means of values below 1. Scores are sums of at most 128 products, scaled: 1e-6 off, and so
 * are the weights, relatively; 300 of them add up to 1.
 */
const TOLERANCE = 4e-6;
/** Scores of up to 1000 are 1e-4 off in float32, which exp() makes a relative error of each weight. */
const LARGE_SCORES_TOLERANCE = 5e-4;

const N_CTX = 320;
/** Contexts of 1, 7, 63, 64, 65, 129 and 300 tokens, for a prefill of many rows, of few, and for decode. */
const SPANS: readonly Span[] = [
  ...[1, 7, 63, 64, 65, 129, 300].map((context, sequence) => decode(sequence, context)),
  prefill(7, 0, 2),
  prefill(8, 0, 7),
  prefill(9, 55, 8),
  prefill(10, 55, 9),
  prefill(11, 0, 65),
  prefill(12, 120, 9),
  prefill(13, 298, 2),
].sort((a, b) => b.sequence % 5 - a.sequence % 5); // prefill and decode in turn

function decode(sequence: number, context: number): Span {
  return { sequence, first: context - 1, count: 1, outputs: 0 };
}

function prefill(sequence: number, first: number, count: number): Span {
  return { sequence, first, count, outputs: 0 };
}

interface Case {
  readonly nHead: number;
  readonly headDim: number;
  readonly tuning: Tuning;
  readonly makeKv: MakeKv;
  readonly spans?: readonly Span[];
  /** Multiplies the key of each position by it, so that scores grow along the context. */
  readonly growingKeys?: boolean;
  readonly tolerance?: number;
  /** How K and V are stored. */
  readonly dtype?: Dtype;
}

/** Runs one batch's attention over random K and V and compares every row; `kv` holds poison everywhere else. */
async function check(gpu: Gpu, item: Case): Promise<void> {
  const { nHead, headDim, tuning, makeKv, spans = SPANS, growingKeys = false, tolerance = TOLERANCE } = item;
  const { dtype = "f32" } = item;
  const width = nHead * headDim, headDim4 = Math.ceil(headDim / 4), a4 = nHead * headDim4;
  const batch = batchOf(spans);
  const nSequences = 1 + Math.max(...spans.map(({ sequence }) => sequence));
  const scratch = new Scratch(gpu);
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
    qkv: scratch.upload(qkv),
    kv: scratch.upload(place(memory, contexts, { width, map, nHead, dtype })),
    partial: scratch.poisoned(batch.nDecodeTiles * splits * a4 * 4),
    scale: scratch.poisoned(batch.nDecodeTiles * splits * nHead * 2),
    y: scratch.poisoned((batch.nRows + 1) * a4 * 4),
  };
  const layouts = layoutsOf(gpu);
  const context = { device: gpu.device, layouts, config, tuning, weightsDtype: "f32" as const };
  const kernels = await createKvKernels(context, memory.source);
  const combine = await compile(gpu, {
    files: [FILES.step, FILES.attentionCombine],
    groups: [layouts.attentionCombine],
    overrides: { N_HEAD: nHead, HEAD_DIM4: headDim4, MAX_SPLITS: splits },
  });
  const group = memory.bind(buffers.kv);
  runBatch(gpu, batch, (recorder) => {
    const prefillGroup = layouts.attentionPrefill.bind(buffers);
    recorder.dispatch(kernels.prefill, [prefillGroup, group], batch.nPrefillTiles, nHead);
    const used = Math.ceil(batch.decodeContext / SPLIT_TOKENS);
    const decodeGroup = layouts.attentionDecode.bind(buffers);
    recorder.dispatch(kernels.decode, [decodeGroup, group], used, nHead, batch.nDecodeTiles);
    const combineGroup = layouts.attentionCombine.bind(buffers);
    recorder.dispatch(combine, [combineGroup], Math.ceil(batch.nDecodeTiles * a4 / 32));
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
  assertClose(await download(gpu, buffers.y), expected, {
    tolerance,
    name: `${nHead} heads of ${headDim}`,
    width: a4 * 4,
  });
  scratch.dispose();
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
  const kv = new KvBytes(poison.buffer, { dtype, a4, nHead });
  const row = new Float32Array(2 * map.length);
  for (const [sequence, { k, v }] of contexts) {
    const [keys, values] = [k, v].map((part) => padRows(part, { width, map })) as [
      Float32Array,
      Float32Array,
    ];
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

for (const tuning of [SOFTWARE_TUNING, HARDWARE_TUNING]) {
  for (const [kind, makeKv] of KV_KINDS) {
    gpuTest(`Attention equals the reference (${kind}, ${tuning.name} tuning)`, async (gpu) => {
      await check(gpu, { nHead: 2, headDim: 16, tuning, makeKv });
      await check(gpu, { nHead: 3, headDim: 18, tuning, makeKv });
    });
  }
  for (const dtype of ["f16", "int8"] as const) {
    gpuTest(`Attention reads K and V in ${dtype} (${tuning.name} tuning)`, async (gpu) => {
      await check(gpu, { nHead: 2, headDim: 16, tuning, makeKv: contiguousKv, dtype });
      await check(gpu, { nHead: 3, headDim: 18, tuning, makeKv: pagedKv(3), dtype });
      await check(gpu, { nHead: 1, headDim: 64, tuning, makeKv: pagedKv(16), dtype });
    });
  }
  for (const headDim of [4, 64, 128]) {
    gpuTest(`Attention equals the reference (head width ${headDim}, ${tuning.name} tuning)`, async (gpu) => {
      await check(gpu, { nHead: 1, headDim, tuning, makeKv: contiguousKv });
      await check(gpu, { nHead: 2, headDim, tuning, makeKv: pagedKv(3) });
    });
  }
  gpuTest(
    `Attention survives scores that grow until exp() alone would overflow (${tuning.name} tuning)`,
    async (gpu) => {
      const tolerance = LARGE_SCORES_TOLERANCE;
      await check(gpu, { nHead: 2, headDim: 20, tuning, makeKv: pagedKv(3), growingKeys: true, tolerance });
    },
  );
  gpuTest(`Attention of a tile writes its own rows and no other (${tuning.name} tuning)`, async (gpu) => {
    for (const count of [2, 3, 4, 5, 6, 7, 8, 17]) {
      await check(gpu, { nHead: 2, headDim: 16, tuning, makeKv: pagedKv(16), spans: [prefill(1, 3, count)] });
    }
  });
}
