/** Trials of the attention kernels, over every kind of K/V memory. */
import { compare } from "../../../src/base/comparison.ts";
import { PRESETS } from "../../../src/checkpoint/config.ts";
import { batchOf, type Span } from "../../../src/model/batch.ts";
import { dimsOf } from "../../../src/model/dims.ts";
import { paddedHeads } from "../../../src/model/pack.ts";
import {
  type CheckedKv,
  expecting,
  type KvToken,
  type Trial,
  type TrialDispatch,
} from "../../../src/model/trial.ts";
import { splitsOf, type Tuning } from "../../../src/model/tuning.ts";
import { padRows, randomArray } from "../../../src/model/values.ts";
import { attentionCombineCpu } from "./combine_reference.ts";
import { ATTENTION_USES, COMBINE_USES, combinePlan, decodePlan, decodeUses, prefillPlan } from "./plans.ts";
import { attentionCpu } from "./reference.ts";

/**
 * Outputs are weighted means of values below 1. Scores are sums of at most 128 products, scaled: 1e-6 off, and so
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

/** Makes a span of rows that attend together. */
export function prefill(sequence: number, first: number, count: number): Span {
  return { sequence, first, count, outputs: 0 };
}

/** The subject of a trial. */
export interface AttentionCase extends CheckedKv {
  readonly nHead: number;
  readonly headDim: number;
  readonly tuning: Tuning;
  /** Rows that attend, of sequences with at most 320 tokens. */
  readonly spans: readonly Span[];
  /** Multiplies the key of each position by it, so that scores grow along the context. Default: no. */
  readonly growingKeys?: boolean;
  /** The largest difference that rounding explains. Default: 4e-6. */
  readonly tolerance?: number;
}

function configOf(nHead: number, headDim: number) {
  return { ...PRESETS.gpt2, nHead, headDim, nEmbd: nHead * headDim, nCtx: N_CTX };
}

/** Makes a trial of one batch over random K and V; the cache holds poison everywhere else. */
export function attentionTrial(item: AttentionCase): Trial {
  const { nHead, headDim, tuning, spans, kind, dtype, growingKeys = false, tolerance = TOLERANCE } = item;
  const config = configOf(nHead, headDim), { a4, headDim4 } = dimsOf(config), width = nHead * headDim;
  const batch = batchOf(spans), map = paddedHeads(1, nHead, headDim, headDim4);
  const tokens = spans.flatMap(({ sequence, first, count }) => {
    const k = randomArray((first + count) * width, 1 + 10 * sequence);
    const v = randomArray((first + count) * width, 2 + 10 * sequence);
    const keys = padRows(growingKeys ? k.map((value, i) => value * Math.floor(i / width)) : k, {
      width,
      map,
    });
    const values = padRows(v, { width, map });
    return Array.from({ length: first + count }, (_, position): KvToken => {
      const part = [position * map.length, (position + 1) * map.length] as const;
      return {
        sequence,
        position,
        values: Float32Array.of(...keys.subarray(...part), ...values.subarray(...part)),
      };
    });
  });
  const q = randomArray(batch.nRows * width, 3), padded = padRows(q, { width, map });
  // K and V of the rows themselves are poison here: attention must take them from the cache.
  const x = new Float32Array(batch.nRows * 3 * a4 * 4).fill(NaN);
  for (let r = 0; r < batch.nRows; r++) {
    x.set(padded.subarray(r * a4 * 4, (r + 1) * a4 * 4), r * 3 * a4 * 4);
  }
  const poison = (length: number) => new Float32Array(length).fill(NaN);
  const attend = { uses: ATTENTION_USES, kv: "read" } as const;
  const dispatches: TrialDispatch[] = [];
  if (batch.nPrefillTiles > 0) {
    dispatches.push({
      ...attend,
      plan: (context, kv) => prefillPlan(context, kv!),
    });
  }
  if (batch.nDecodeTiles > 0) {
    dispatches.push({ ...attend, uses: decodeUses(tuning), plan: (context, kv) => decodePlan(context, kv!) });
    if (tuning.splitTokens > 0) dispatches.push({ uses: COMBINE_USES, plan: combinePlan });
  }
  const nSequences = 1 + Math.max(...spans.map(({ sequence }) => sequence));
  return {
    config,
    tuning,
    spans,
    buffers: {
      x,
      y: poison((batch.nRows + 1) * a4 * 4),
      partial: poison(batch.nDecodeTiles * splitsOf(N_CTX, tuning) * nHead * (headDim4 + 1) * 4),
    },
    kv: { kind, dtype, nSequences, tokensPerSequence: N_CTX, nHead, a4, byte: 0xff, tokens }, // NaN, or -1
    dispatches,
    judge: async (outcome) => {
      const stored = await outcome.kv();
      /** Plain K, or V, of positions as they are after they were stored. */
      const contextOf = (sequence: number, positions: readonly number[], part: 0 | 1) => {
        const plain = new Float32Array(positions.length * width);
        positions.forEach((position, p) => {
          const row = stored.load(stored.slot(sequence, position));
          map.forEach((index, i) => {
            if (index >= 0) plain[p * width + index] = row[part * map.length + i]!;
          });
        });
        return plain;
      };
      const expected = poison((batch.nRows + 1) * a4 * 4);
      let row = 0;
      for (const { sequence, first, count } of spans) {
        const all = Array.from({ length: first + count }, (_, position) => position);
        const k = contextOf(sequence, all, 0), v = contextOf(sequence, all, 1);
        for (let i = 0; i < count; i++, row++) {
          const seen = all.filter((position) =>
            position <= first + i && stored.isVisible(first + i, position)
          );
          const of = (values: Float32Array) =>
            seen.flatMap((p) => [...values.subarray(p * width, (p + 1) * width)]);
          const own = q.subarray(row * width, (row + 1) * width);
          const y = attentionCpu(own, { k: of(k), v: of(v) }, { nHead, headDim, nPositions: seen.length });
          expected.set(padRows(y, { width, map }), row * a4 * 4);
        }
      }
      return compare(await outcome.floats("y"), expected, {
        what: `${batch.nRows} rows of ${nHead} heads of ${headDim}`,
        tolerance,
        width: a4 * 4,
      });
    },
  };
}

/** The dimensions of a trial of splits. */
export type SplitCase = Pick<AttentionCase, "nHead" | "headDim" | "tuning">;

/** Makes up splits of the contexts of {@linkcode DECODE_SPANS}, poison behind them, and joins them: [rows, nHead, width]. */
export function madeSplits({ nHead, headDim, tuning }: SplitCase) {
  const config = configOf(nHead, headDim), width = dimsOf(config).headDim4 * 4, nRows = DECODE_SPANS.length;
  const splits = splitsOf(N_CTX, tuning);
  const partial = new Float32Array(nRows * nHead * splits * (width + 4)).fill(NaN);
  const joined = new Float32Array(nRows * nHead * width);
  DECODE_SPANS.forEach(({ first }, r) => {
    const nSplits = splitsOf(first + 1, tuning);
    for (let head = 0; head < nHead; head++) {
      const at = (r * nHead + head) * splits;
      const own = {
        partial: randomArray(nSplits * width, 1 + at),
        // The largest score, and a sum of weights of which the largest is 1.
        scale: randomArray(nSplits * 2, 2 + at).map((value, i) => i % 2 === 0 ? 3 * value : 17 + 16 * value),
      };
      for (let split = 0; split < nSplits; split++) {
        const first = (at + split) * (width + 4);
        partial.set(own.partial.subarray(split * width, (split + 1) * width), first);
        partial.set([...own.scale.subarray(split * 2, split * 2 + 2), nSplits], first + width);
      }
      joined.set(attentionCombineCpu(own, width), (r * nHead + head) * width);
    }
  });
  return { config, partial, joined };
}

/** Makes a trial that joins made-up splits. */
export function combineTrial({ nHead, headDim, tuning }: SplitCase): Trial {
  const { config, partial, joined } = madeSplits({ nHead, headDim, tuning }), { a4 } = dimsOf(config);
  const nRows = DECODE_SPANS.length;
  const expected = new Float32Array((nRows + 1) * a4 * 4).fill(NaN), y = expected.slice();
  expected.set(joined);
  return {
    config,
    tuning,
    spans: DECODE_SPANS,
    buffers: { partial, y },
    dispatches: [{ uses: COMBINE_USES, plan: combinePlan }],
    judge: expecting("y", expected, {
      what: `${nRows} rows of ${nHead} heads of ${headDim}`,
      tolerance: TOLERANCE,
      width: a4 * 4,
    }),
  };
}
