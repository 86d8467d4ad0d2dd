/**
 * Checks `embedding.wgsl` against its reference, the vocabulary whole or in shards.
 *
 * @module
 */
import { embeddingCpu } from "../../wgsl/ops/embedding/reference.ts";
import { type Dtype, weightStorage } from "../formats/registry.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { seededRandom } from "../base/random.ts";
import { batchOf, type Span } from "../model/batch.ts";
import { FILES, placeFiles } from "../model/files.ts";
import { packTiles, paddedEnd } from "../model/pack.ts";
import type { Tuning } from "../model/tuning.ts";
import { compare, type Comparison } from "./comparison.ts";
import { compile, download, layoutsOf, runBatch, withScratch } from "./scratch.ts";
import { padRows, randomArray } from "./values.ts";

/** What is checked. */
export interface EmbeddingCase {
  readonly vocabSize: number;
  readonly nEmbd: number;
  /** Parts of the vocabulary, each with a buffer and a dispatch of its own. */
  readonly nShards: number;
  readonly nCtx: number;
  /** How the token embedding is packed, and where. */
  readonly tuning: Pick<Tuning, "tileGroup" | "texels">;
  /** How the token embedding is stored. */
  readonly dtype: Dtype;
  /** Rows of sequences 0 to 2, by batch. */
  readonly batches: readonly (readonly Span[])[];
}

/**
 * Runs the kernel once for each batch.
 *
 * @throws {KvbenchError} If it does not compile or the device fails.
 */
export async function checkEmbedding(gpu: Gpu, item: EmbeddingCase): Promise<Comparison[]> {
  const { vocabSize, nEmbd, nShards, nCtx, dtype, tuning: { tileGroup, texels } } = item;
  return await withScratch(gpu, async (scratch) => {
    const { embedding } = layoutsOf(gpu, item.tuning);
    const e4 = Math.ceil(nEmbd / 4), v4 = Math.ceil(vocabSize / 4);
    const wte = randomArray(vocabSize * nEmbd, 1), wpe = randomArray(nCtx * nEmbd, 2);
    const next = seededRandom(3);
    const tokens = Uint32Array.from({ length: 3 * nCtx }, () => Math.floor(next() * vocabSize));
    const k = paddedEnd(nEmbd, e4), n = paddedEnd(vocabSize, v4);
    const source = { values: wte, strideK: 1, strideN: nEmbd, k };
    const perShard = Math.ceil(v4 / nShards);
    tokens.set([vocabSize - 1, (4 * perShard - 1) % vocabSize, (4 * perShard) % vocabSize]);
    const firsts = Array.from({ length: nShards }, (_, i) => i * perShard);
    const shards = await Promise.all(firsts.map(async (firstN4) => {
      const n4 = Math.min(perShard, v4 - firstN4);
      const kernel = await compile(gpu, {
        files: [...placeFiles({ weight: { dtype, texels } }), FILES.embedding],
        groups: [embedding],
        overrides: {
          E4: e4,
          N_CTX: nCtx,
          FIRST_TOKEN: firstN4 * 4,
          N_TOKENS: n4 * 4,
          TILE_GROUP: tileGroup,
        },
      });
      const shard = { ...source, n: n.subarray(4 * firstN4, 4 * (firstN4 + n4)) };
      const { tiles, scale } = packTiles(shard, { tileGroup, dtype });
      return {
        kernel,
        weight: scratch.vectors(tiles, { texels }),
        scale: scale ? scratch.upload(scale) : scratch.poisoned(4),
      };
    }));
    const common = {
      tokens: scratch.upload(tokens),
      wpe: scratch.upload(padRows(wpe, { width: nEmbd, map: k })),
    };
    const tables = { wte: weightStorage(dtype).stored({ ...source, n }), wpe, nEmbd };
    return await Promise.all(item.batches.map(async (spans) => {
      const batch = batchOf(spans);
      const x = scratch.poisoned((batch.nRows + 1) * e4 * 4);
      runBatch(gpu, batch, (recorder) => {
        // Backwards: a shard that wrote rows of the next one would have the last word.
        for (const { kernel, ...shard } of shards.toReversed()) {
          recorder.dispatch(
            kernel,
            [embedding.bind({ ...common, ...shard, x })],
            Math.ceil(batch.nRows * e4 / 32),
          );
        }
      });
      const rows = spans.flatMap(({ sequence, first, count }) =>
        Array.from({ length: count }, (_, i) => ({
          token: tokens[sequence * nCtx + first + i]!,
          position: first + i,
        }))
      );
      const y = embeddingCpu(rows, tables);
      const untouched = new Float32Array(e4 * 4).fill(NaN);
      return compare(
        await download(gpu, x),
        [...padRows(y, { width: nEmbd, map: k }), ...untouched],
        { what: `${batch.nRows} rows of ${nEmbd}`, tolerance: weightStorage(dtype).tolerance, width: e4 * 4 },
      );
    }));
  });
}
