/** `embedding.wgsl` against its reference: both tile layouts, padded widths, whole and in shards. */
import { runTrial } from "../src/check/run_trial.ts";
import { PRESETS } from "../src/checkpoint/config.ts";
import { WEIGHT_DTYPES } from "../src/formats/registry.ts";
import { HARDWARE_TUNING, SOFTWARE_TUNING } from "../src/model/tuning.ts";
import { embeddingTrials } from "../wgsl/ops/embedding/operator.ts";
import { assertRight, gpuTest } from "./gpu_support.ts";

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
  for (const shape of SHAPES) {
    const title =
      `vocabulary ${shape.vocabSize} in ${shape.nShards}, width ${shape.nEmbd}, ${tuning.name} tuning`;
    gpuTest(`embedding.wgsl equals the reference in every storage type (${title})`, async (gpu) => {
      const { nShards, ...dimensions } = shape, config = { ...PRESETS.gpt2, ...dimensions, nCtx: 70 };
      for (const dtype of WEIGHT_DTYPES) {
        for (const trial of embeddingTrials({ config, nShards, tuning, dtype }, BATCHES)) {
          assertRight(await runTrial(gpu, trial));
        }
      }
    });
  }
}
