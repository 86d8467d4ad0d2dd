/** Storing K and V of a step's rows in their slots. */
import { PRESETS } from "../../../src/checkpoint/config.ts";
import { isExactKv, kvStorages } from "../../../src/formats/kv_dtype.ts";
import { kvRowBytes } from "../../../src/kv/shape.ts";
import type { KvSource } from "../../../src/kv/source.ts";
import type { Comparison } from "../../../src/base/comparison.ts";
import type { Span } from "../../../src/model/batch.ts";
import { dimsOf } from "../../../src/model/dims.ts";
import { inputFile } from "../../../src/model/io.ts";
import type { Operator } from "../../../src/model/operator.ts";
import { paddedHeads } from "../../../src/model/pack.ts";
import type { Uses } from "../../../src/model/plan.ts";
import { type CheckedKv, type KvOutcome, MOST_CHECKED, type Trial } from "../../../src/model/trial.ts";
import type { Tuning } from "../../../src/model/tuning.ts";
import { padRows, randomArray } from "../../../src/model/values.ts";
import code from "./kv_write.wgsl" with { type: "text" };

const FILE = { name: "kv_write.wgsl", code };

/** Uses of its bindings. */
export const KV_WRITE_USES = { x: "operand" } as const satisfies Uses;

/** The operator, of a strategy's K/V memory. */
export const KV_WRITE: Operator<KvSource, void> = {
  name: "kv write",
  files: [FILE],
  plans: ({ layouts, config, tuning }, kv) => [{
    spec: {
      label: "kv write",
      files: [FILE, ...kv.files.write, inputFile(tuning)],
      groups: [layouts.step, layouts.of(KV_WRITE_USES), kv.layouts.write],
      overrides: {
        ...kv.overrides.write,
        N_HEAD: config.nHead,
        HEAD_DIM4: dimsOf(config).headDim4,
        LANES: tuning.flatLanes,
      },
    },
    grid: ({ nRows }) => [Math.ceil(nRows * 2 * config.nHead / tuning.flatLanes)],
  }],
  /** A value is divided by its scale where there are scales. */
  cost({ nRows }, { config: { nHead }, config, kvDtype }) {
    const { a4 } = dimsOf(config), a = 4 * a4;
    const row = kvRowBytes({ a4, nHead, dtype: kvDtype });
    const scaled = kvStorages(kvDtype).filter(({ scaleBytes }) => scaleBytes > 0).length;
    return { bytes: nRows * (8 * a + row), macs: scaled * nRows * a };
  },
  checks: ({ config: { nHead, headDim }, tunings: [tuning], kvMemories }) =>
    kvMemories.map((kv) => ({
      file: FILE,
      variant: `${kv.kind}, ${kv.dtype}`,
      trials: () => [kvWriteTrial({ nHead: Math.min(nHead, MOST_CHECKED.heads), headDim, tuning, ...kv })],
    })),
};

/** The value of bytes before the kernel runs. */
export const POISON = 0xa5;
/** Tokens of each of four sequences whose K and V are stored in trials. */
export const STORED_TOKENS = 70;
/** The rows that are stored. */
export const STORED_SPANS: readonly Span[] = [
  { sequence: 2, first: 5, count: 65, outputs: 0 },
  { sequence: 0, first: 69, count: 1, outputs: 0 },
  { sequence: 1, first: 0, count: 7, outputs: 0 },
  { sequence: 3, first: 0, count: 1, outputs: 0 },
];

/**
 * Compares slots with the K and V of the rows of spans, which were written over {@linkcode POISON}: `x` is
 * [rows, 3, A4 * 4]. Errors are in units of what rounding explains.
 */
export function judgeStored(
  stored: KvOutcome,
  spans: readonly Span[],
  x: Float32Array,
  a4: number,
): Pick<Comparison, "largestError" | "at"> {
  const rows = spans.flatMap(({ sequence, first, count }) =>
    Array.from({ length: count }, (_, i) => stored.slot(sequence, first + i))
  );
  /** Slots that were to be written, each with its K and V: [2, A4 * 4]. */
  const written = new Map(
    rows.map((slot, row) => [slot, x.subarray((row * 3 + 1) * a4 * 4, (row * 3 + 3) * a4 * 4)]),
  );
  let largestError = 0, at = "every slot is right";
  for (let slot = 0; slot < stored.nSlots; slot++) {
    const values = written.get(slot);
    const error = values ? stored.error(slot, values) : stored.isFilledWith(slot, POISON) ? 0 : Infinity;
    if (error <= largestError) continue;
    largestError = error;
    at = values ? `slot ${slot}, which was to be written` : `slot ${slot}, which was not to be touched`;
  }
  return { largestError, at };
}

/**
 * Makes a trial that writes the rows of four sequences over poison; K of the first row is zero. Errors are in units of
 * what rounding explains: an exact type is copied bit by bit.
 */
export function kvWriteTrial({ nHead, headDim, tuning, kind, dtype }: CheckedKv & {
  readonly nHead: number;
  readonly headDim: number;
  readonly tuning: Tuning;
}): Trial {
  const width = nHead * headDim,
    config = { ...PRESETS.gpt2, nHead, headDim, nEmbd: width, nCtx: STORED_TOKENS };
  const { a4, headDim4 } = dimsOf(config);
  const nRows = STORED_SPANS.reduce((sum, { count }) => sum + count, 0);
  const qkv = randomArray(nRows * 3 * width, 1);
  qkv.fill(0, width, 2 * width);
  const x = padRows(qkv, { width: 3 * width, map: paddedHeads(3, nHead, headDim, headDim4) });
  return {
    config,
    tuning,
    spans: STORED_SPANS,
    buffers: { x },
    kv: { kind, dtype, nSequences: 4, tokensPerSequence: STORED_TOKENS, nHead, a4, byte: POISON },
    dispatches: [{
      uses: KV_WRITE_USES,
      kv: "write",
      plan: (context, kv) => KV_WRITE.plans(context, kv!)[0]!,
    }],
    judge: async (outcome) => {
      const found = judgeStored(await outcome.kv(), STORED_SPANS, x, a4),
        tolerance = isExactKv(dtype) ? 0 : 1;
      return { what: `${nRows} rows of ${nHead} heads of ${headDim}`, tolerance, ...found };
    },
  };
}
