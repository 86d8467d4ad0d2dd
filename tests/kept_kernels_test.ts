/**
 * The kernels that choose which tokens stay, against their CPU references, and attention over what they leave.
 */
import { runTrial } from "../src/check/run_trial.ts";
import { HARDWARE_TUNING, SOFTWARE_TUNING } from "../src/model/tuning.ts";
import { attentionTrial, DECODE_SPANS, PREFILL_SPANS } from "../wgsl/ops/attention/trials.ts";
import { promptTrial, stepTrial } from "../wgsl/ops/kept/trials.ts";
import { kvWriteTrial } from "../wgsl/ops/kv_write/operator.ts";
import { assertRight, gpuTest } from "./gpu_support.ts";

const TUNINGS = [SOFTWARE_TUNING, HARDWARE_TUNING], DTYPES = ["f32", "f16", "int8"] as const;

gpuTest(
  "Tokens of prompts that stay, and what is stored of them, are those of the reference",
  async (gpu) => {
    for (const tuning of TUNINGS) {
      for (const dtype of DTYPES) {
        assertRight(await runTrial(gpu, promptTrial({ nHead: 3, headDim: 16, tuning, dtype })));
      }
      assertRight(await runTrial(gpu, promptTrial({ nHead: 2, headDim: 18, tuning, dtype: "f32" })));
    }
  },
);

gpuTest(
  "Scores of single rows, the token that leaves and what takes its place are the reference's",
  async (gpu) => {
    for (const tuning of TUNINGS) {
      assertRight(await runTrial(gpu, stepTrial({ nHead: 3, headDim: 16, tuning, dtype: "f32" })));
      assertRight(await runTrial(gpu, stepTrial({ nHead: 2, headDim: 18, tuning, dtype: "f32" })));
    }
  },
);

gpuTest("Attention over kept tokens, and over masked ones, equals the reference", async (gpu) => {
  for (const tuning of TUNINGS) {
    for (const kind of ["h2o", "snapkv", "h2o's mask"]) {
      const shape = { nHead: 2, headDim: 16, tuning, kind };
      for (const spans of [DECODE_SPANS, PREFILL_SPANS]) {
        assertRight(await runTrial(gpu, attentionTrial({ ...shape, dtype: "f32", spans })));
      }
      assertRight(await runTrial(gpu, kvWriteTrial({ ...shape, dtype: "int8" })));
    }
  }
});
