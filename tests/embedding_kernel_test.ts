/**
 * `embedding.wgsl` against its reference: both tile layouts, padded widths, whole and in shards.
 *
 * @module
 */
import { seededRandom } from "../src/measure/random.ts";
import { batchOf } from "../src/model/batch.ts";
import { FILES, WEIGHT_FORMATS } from "../src/model/files.ts";
import { packTiles, paddedEnd } from "../src/model/pack.ts";
import { HARDWARE_TUNING, SOFTWARE_TUNING } from "../src/model/tuning.ts";
import { embeddingCpu } from "../wgsl/embedding_cpu.ts";
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

/** Exact: one float32 addition, which float64 rounded to float32 equals. */
const TOLERANCE = 0;

const N_CTX = 70;
const SHAPES = [
  { vocabSize: 509, nEmbd: 4, nShards: 1 },
  { vocabSize: 769, nEmbd: 18, nShards: 1 },
  { vocabSize: 509, nEmbd: 80, nShards: 3 },
  { vocabSize: 769, nEmbd: 770, nShards: 2 },
];
/** Rows 1, 2, 7, 8, 9 and 65, of one sequence or of three. */
const BATCHES = [
  [{ sequence: 0, first: 69, count: 1, outputs: 0 }],
  [{ sequence: 2, first: 3, count: 1, outputs: 0 }, { sequence: 0, first: 0, count: 1, outputs: 0 }],
  [{ sequence: 1, first: 0, count: 7, outputs: 0 }],
  [{ sequence: 1, first: 9, count: 3, outputs: 0 }, { sequence: 0, first: 1, count: 5, outputs: 0 }],
  [{ sequence: 0, first: 0, count: 9, outputs: 0 }],
  [{ sequence: 2, first: 5, count: 65, outputs: 0 }],
];

for (const tuning of [SOFTWARE_TUNING, HARDWARE_TUNING]) {
  for (const { vocabSize, nEmbd, nShards } of SHAPES) {
    const title = `vocabulary ${vocabSize} in ${nShards}, width ${nEmbd}, ${tuning.name} tuning`;
    gpuTest(`embedding.wgsl equals the reference (${title})`, async (gpu) => {
      const scratch = new Scratch(gpu);
      const { embedding } = layoutsOf(gpu);
      const e4 = Math.ceil(nEmbd / 4), v4 = Math.ceil(vocabSize / 4);
      const wte = randomArray(vocabSize * nEmbd, 1), wpe = randomArray(N_CTX * nEmbd, 2);
      const next = seededRandom(3);
      const tokens = Uint32Array.from({ length: 3 * N_CTX }, () => Math.floor(next() * vocabSize));
      const k = paddedEnd(nEmbd, e4);
      const n = paddedEnd(vocabSize, v4);
      const source = { values: wte, strideK: 1, strideN: nEmbd, k };
      const perShard = Math.ceil(v4 / nShards);

      tokens.set([vocabSize - 1, (4 * perShard - 1) % vocabSize, (4 * perShard) % vocabSize]);
      const firsts = Array.from({ length: nShards }, (_, i) => i * perShard);
      const shards = await Promise.all(firsts.map(async (firstN4) => {
        const n4 = Math.min(perShard, v4 - firstN4);
        const kernel = await compile(gpu, {
          files: [FILES.step, WEIGHT_FORMATS.f32, FILES.embedding],
          groups: [embedding],
          overrides: {
            E4: e4,
            N_CTX,
            FIRST_TOKEN: firstN4 * 4,
            N_TOKENS: n4 * 4,
            TILE_GROUP: tuning.tileGroup,
          },
        });
        const shard = { ...source, n: n.subarray(4 * firstN4, 4 * (firstN4 + n4)) };
        const { tiles } = packTiles(shard, { tileGroup: tuning.tileGroup, dtype: "f32" });
        return { kernel, weight: scratch.upload(tiles) };
      }));
      const common = {
        scale: scratch.poisoned(4),
        tokens: scratch.upload(tokens),
        wpe: scratch.upload(padRows(wpe, { width: nEmbd, map: k })),
      };
      for (const spans of BATCHES) {
        const batch = batchOf(spans);
        const x = scratch.poisoned((batch.nRows + 1) * e4 * 4);
        runBatch(gpu, batch, (recorder) => {
          // Backwards: a shard that wrote rows of the next one would have the last word.
          for (const shard of shards.toReversed()) {
            const group = embedding.bind({ ...common, weight: shard.weight, x });
            recorder.dispatch(shard.kernel, [group], Math.ceil(batch.nRows * e4 / 32));
          }
        });
        const rows = spans.flatMap(({ sequence, first, count }) =>
          Array.from({ length: count }, (_, i) => ({
            token: tokens[sequence * N_CTX + first + i]!,
            position: first + i,
          }))
        );
        const y = embeddingCpu(rows, { wte, wpe, nEmbd });
        const untouched = new Float32Array(e4 * 4).fill(NaN);
        assertClose(
          await download(gpu, x),
          [...padRows(y, { width: nEmbd, map: k }), ...untouched],
          { tolerance: TOLERANCE, name: `${batch.nRows} rows`, width: e4 * 4 },
        );
      }
      scratch.dispose();
    });
  }
}
