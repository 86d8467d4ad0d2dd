/**
 * Attention over the K and V of a strategy: of tiles of rows, of single rows, and of splits of their contexts.
 */
import type { WgslFile } from "../../../src/gpu/wgsl.ts";
import { kvRowBytes } from "../../../src/kv/shape.ts";
import type { KvSource } from "../../../src/kv/source.ts";
import type { Batch } from "../../../src/model/batch.ts";
import { dimsOf } from "../../../src/model/dims.ts";
import type { CostModel, Operator, OperatorCheck } from "../../../src/model/operator.ts";
import { type CheckedModel, MOST_CHECKED } from "../../../src/model/trial.ts";
import { splitsOf, type Tuning } from "../../../src/model/tuning.ts";
import {
  ALONG_FILE,
  COMBINE_FILE,
  combinePlan,
  DECODE_FILE,
  decodeFile,
  decodePlan,
  MEMORY_FILE,
  PREFILL_FILE,
  prefillFile,
  prefillPlan,
  SHARED_FILE,
  SHUFFLE_FILE,
  SPLIT_FILE,
  WHOLE_FILE,
} from "./plans.ts";
import { attentionTrial, combineTrial, DECODE_SPANS, PREFILL_SPANS } from "./trials.ts";

/** Attention of tiles of rows. */
export const ATTENTION_PREFILL: Operator<KvSource, void> = {
  name: "attention prefill",
  files: [PREFILL_FILE, SHARED_FILE],
  plans: (context, kv) => [prefillPlan(context, kv)],
  cost(batch, model) {
    const { a, kvRow, prefillRows, prefillPairs, prefillTokens } = shapeOf(batch, model);
    return { bytes: 8 * a * prefillRows + kvRow * prefillTokens, macs: 2 * a * prefillPairs };
  },
  checks: (model) =>
    attentionChecks(model, (tuning) => prefillFile(tuning, dimsOf(model.config)), PREFILL_SPANS),
};

/** Attention of single rows, whole or in splits. */
export const ATTENTION_DECODE: Operator<KvSource, void> = {
  name: "attention decode",
  files: [DECODE_FILE, MEMORY_FILE, SHUFFLE_FILE, ALONG_FILE, SPLIT_FILE, WHOLE_FILE],
  plans: (context, kv) => [decodePlan(context, kv)],
  cost(batch, model) {
    const { a, kvRow, decodeTokens, partial } = shapeOf(batch, model);
    return {
      bytes: 4 * a * batch.nDecodeTiles + kvRow * decodeTokens + partial,
      macs: 2 * a * decodeTokens,
    };
  },
  checks: (model) => attentionChecks(model, decodeFile, DECODE_SPANS),
};

/** Joining the splits of a decode attention. */
export const ATTENTION_COMBINE: Operator = {
  name: "attention combine",
  files: [COMBINE_FILE],
  plans: (context) => [combinePlan(context)],
  cost(batch, model) {
    const { a, splits, partial } = shapeOf(batch, model);
    return { bytes: partial + 4 * a * batch.nDecodeTiles, macs: splits * a };
  },
  checks: ({ config: { nHead, headDim }, tunings }) =>
    tunings.filter(({ splitTokens }) => splitTokens > 0).map((tuning) => ({
      file: COMBINE_FILE,
      variant: `${tuning.name} tuning`,
      trials: () => [combineTrial({ nHead: Math.min(nHead, MOST_CHECKED.heads), headDim, tuning })],
    })),
};

function attentionChecks(
  { config: { nHead, headDim }, tunings, kvDtypes, kvMemories }: CheckedModel,
  fileOf: (tuning: Tuning) => WgslFile,
  spans: typeof DECODE_SPANS,
): OperatorCheck[] {
  return tunings.flatMap((tuning, i) =>
    kvMemories.filter(({ dtype }) => i === 0 || dtype === kvDtypes[0]).map((kv) => ({
      file: fileOf(tuning),
      variant: `${kv.kind}, ${kv.dtype}, ${tuning.name} tuning`,
      trials: () => [
        attentionTrial({ nHead: Math.min(nHead, MOST_CHECKED.heads), headDim, tuning, ...kv, spans }),
      ],
    }))
  );
}

/** Counts rows, tokens and pairs of a batch's attention, over all tiles. */
function shapeOf(
  { tiles, nPrefillTiles, nDecodeTiles }: Batch,
  { config, kvDtype, tuning, entries = (length) => length }: CostModel,
) {
  const { a4 } = dimsOf(config), a = 4 * a4, { nHead } = config;
  const reach = new Map<number, number>(); // tokens that a sequence's prefill tiles attend to
  let prefillRows = 0, prefillPairs = 0, decodeTokens = 0, splits = 0;
  for (let t = 0; 4 * t < tiles.length; t++) {
    const [rows, sequence, first] = [tiles[4 * t + 1]!, tiles[4 * t + 2]!, tiles[4 * t + 3]!];
    if (t >= nPrefillTiles) {
      decodeTokens += entries(first + 1, sequence);
      splits += splitsOf(entries(first + 1, sequence), tuning);
      continue;
    }
    prefillRows += rows;
    for (let row = 0; row < rows; row++) prefillPairs += entries(first + 1 + row, sequence);
    reach.set(sequence, Math.max(reach.get(sequence) ?? 0, entries(first + rows, sequence)));
  }
  return {
    a,
    kvRow: kvRowBytes({ a4, nHead, dtype: kvDtype }),
    prefillRows,
    prefillPairs,
    prefillTokens: [...reach.values()].reduce((sum, tokens) => sum + tokens, 0),
    decodeTokens,
    splits,
    /** [splits, A] sums and [splits, H] maxima and weights in vectors of four; or the output. */
    partial: tuning.splitTokens > 0 ? splits * (4 * a + 16 * nHead) : 4 * a * nDecodeTiles,
  };
}
