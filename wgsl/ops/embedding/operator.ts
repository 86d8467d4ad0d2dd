/** Token and position embedding, of the whole vocabulary or of a shard. */
import { seededRandom } from "../../../src/base/random.ts";
import type { Gpt2Config } from "../../../src/checkpoint/config.ts";
import { type Dtype, weightStorage } from "../../../src/formats/registry.ts";
import type { Span } from "../../../src/model/batch.ts";
import { dimsOf } from "../../../src/model/dims.ts";
import { weightFiles } from "../../../src/model/io.ts";
import type { Operator } from "../../../src/model/operator.ts";
import { elementBytes, packTiles, paddedEnd, scaleBytes, storedK4 } from "../../../src/model/pack.ts";
import type { Uses } from "../../../src/model/plan.ts";
import { expecting, MOST_CHECKED, type Trial } from "../../../src/model/trial.ts";
import type { Tuning } from "../../../src/model/tuning.ts";
import { padRows, randomArray } from "../../../src/model/values.ts";
import type { MatrixShape } from "../../../src/model/weights.ts";
import code from "./embedding.wgsl" with { type: "text" };
import { embeddingCpu } from "./reference.ts";

const FILE = { name: "embedding.wgsl", code };

/** Uses of its bindings. */
export const EMBEDDING_USES = {
  tokens: "read",
  x: "readWrite",
  weight: "operand",
  wpe: "read",
  scale: "read",
} as const satisfies Uses;

/** The operator, of a shard of the vocabulary. */
export const EMBEDDING: Operator<MatrixShape> = {
  name: "embedding",
  files: [FILE],
  plans({ layouts, config, tuning, weightsDtype }, { firstN4, n4 }) {
    const { e4 } = dimsOf(config);
    return [{
      spec: {
        label: "embedding",
        files: [FILE, ...weightFiles(weightsDtype, tuning)],
        groups: [layouts.step, layouts.of(EMBEDDING_USES)],
        overrides: {
          K4: e4,
          STORED_K4: storedK4(e4, weightsDtype),
          N_CTX: config.nCtx,
          FIRST_TOKEN: firstN4 * 4,
          N_TOKENS: n4 * 4,
          TILE_GROUP: tuning.tileGroup,
          LANES: tuning.flatLanes,
        },
      },
      grid: ({ nRows }) => [Math.ceil(nRows * e4 / tuning.flatLanes)],
    }];
  },
  /** Of the whole vocabulary, however it is split. */
  cost({ nRows }, { config, weightsDtype }) {
    const { e4 } = dimsOf(config), e = 4 * e4;
    const scale = scaleBytes(e4, 1, { tileGroup: 1, dtype: weightsDtype }) / 4;
    return { bytes: nRows * (4 + elementBytes(weightsDtype) * e + scale + 8 * e), macs: nRows * e };
  },
  checks: ({ config, tunings: [tuning], weightsDtypes }) => {
    const checked = { ...config, vocabSize: Math.min(config.vocabSize, MOST_CHECKED.tokens), nCtx: 16 };
    return weightsDtypes.map((dtype) => ({
      file: FILE,
      variant: dtype,
      trials: () => embeddingTrials({ config: checked, nShards: 2, tuning, dtype }, [SPANS]),
    }));
  },
};

const SPANS: readonly Span[] = [
  { sequence: 2, first: 3, count: 9, outputs: 0 },
  { sequence: 0, first: 0, count: 3, outputs: 0 },
];

/**
 * Makes a trial of each batch, over rows of sequences 0 to 2. Shards are dispatched backwards: one that wrote rows of the next one would
 * have the last word.
 */
export function embeddingTrials({ config, nShards, tuning, dtype }: {
  readonly config: Gpt2Config;
  readonly nShards: number;
  readonly tuning: Tuning;
  readonly dtype: Dtype;
}, batches: readonly (readonly Span[])[]): Trial[] {
  const { vocabSize, nEmbd, nCtx } = config, { e4, v4 } = dimsOf(config), { tileGroup, byVector } = tuning;
  const wte = randomArray(vocabSize * nEmbd, 1), wpe = randomArray(nCtx * nEmbd, 2);
  const next = seededRandom(3);
  const tokens = Uint32Array.from({ length: 3 * nCtx }, () => Math.floor(next() * vocabSize));
  const k = paddedEnd(nEmbd, e4), n = paddedEnd(vocabSize, v4);
  const source = { values: wte, strideK: 1, strideN: nEmbd, k, n };
  const perShard = Math.ceil(v4 / nShards);
  tokens.set([vocabSize - 1, (4 * perShard - 1) % vocabSize, (4 * perShard) % vocabSize]);
  const buffers: Record<string, ArrayBufferView<ArrayBuffer>> = {
    tokens,
    wpe: padRows(wpe, { width: nEmbd, map: k }),
  };
  const shards = Array.from({ length: nShards }, (_, i): MatrixShape => {
    const firstN4 = i * perShard, n4 = Math.min(perShard, v4 - firstN4);
    const shard = { ...source, n: n.subarray(4 * firstN4, 4 * (firstN4 + n4)) };
    const { tiles, scale = new Float32Array(4).fill(NaN) } = packTiles(shard, { tileGroup, byVector, dtype });
    buffers[`weight ${firstN4}`] = tiles;
    buffers[`scale ${firstN4}`] = scale;
    return { k4: e4, n4, firstN4 };
  });
  const storage = weightStorage(dtype), tables = { wte: storage.stored(source), wpe, nEmbd };
  return batches.map((spans): Trial => {
    const rows = spans.flatMap(({ sequence, first, count }) =>
      Array.from({ length: count }, (_, i) => ({
        token: tokens[sequence * nCtx + first + i]!,
        position: first + i,
      }))
    );
    const expected = new Float32Array((rows.length + 1) * e4 * 4).fill(NaN);
    const x = expected.slice();
    expected.set(
      padRows(embeddingCpu(rows, tables), { width: nEmbd, map: k }),
    );
    return {
      config,
      tuning,
      weightsDtype: dtype,
      spans,
      buffers: { ...buffers, x },
      dispatches: shards.toReversed().map((shard) => ({
        uses: EMBEDDING_USES,
        bound: { weight: `weight ${shard.firstN4}`, scale: `scale ${shard.firstN4}` },
        plan: (context) => EMBEDDING.plans(context, shard)[0]!,
      })),
      // One float32 addition, which float64 rounded to float32 equals.
      judge: expecting("x", expected, {
        what: `${rows.length} rows of ${nEmbd}`,
        tolerance: storage.tolerance,
        width: e4 * 4,
      }),
    };
  });
}
