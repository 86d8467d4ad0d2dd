/**
 * The argmax kernels against their reference, in one dispatch and in two, of which the head's product may be the first: logits as a model has them, with ties, and
 * with what is not finite, in vocabularies that do not fill the workgroups.
 */
import { runTrial } from "../src/check/run_trial.ts";
import { PRESETS } from "../src/checkpoint/config.ts";
import { HARDWARE_TUNING, SOFTWARE_TUNING } from "../src/model/tuning.ts";
import { headChoiceTrials } from "../wgsl/ops/argmax/head_trials.ts";
import { ARGMAX } from "../wgsl/ops/argmax/operator.ts";
import { linearKernelsOf } from "../wgsl/ops/linear/trials.ts";
import { assertRight, gpuTest } from "./gpu_support.ts";

const TUNINGS = [SOFTWARE_TUNING, HARDWARE_TUNING, {
  ...HARDWARE_TUNING,
  argmaxParts: 4,
  argmaxLanes: 32,
}] as const;

for (const vocabSize of [7, 65, 509, 50257]) {
  gpuTest(`Argmax in one part and in several equals the reference among ${vocabSize} tokens`, async (gpu) => {
    const config = { ...PRESETS.gpt2, vocabSize };
    const model = { config, tunings: TUNINGS, weightsDtypes: [], kvDtypes: [], kvMemories: [] };
    for (const { trials } of ARGMAX.checks(model)) {
      for (const trial of trials()) assertRight(await runTrial(gpu, trial));
    }
  });
}

for (const lanes of [4, 8, 16]) {
  gpuTest(`The head finds the likeliest token of each workgroup of ${lanes} tiles`, async (gpu) => {
    const tuning = { ...HARDWARE_TUNING, linearLanes: lanes, kSplit: 256 / lanes };
    for (const vocabSize of [7, 65, 6001]) {
      const trials = headChoiceTrials(linearKernelsOf(tuning)[0]!, { config: PRESETS.gpt2, vocabSize });
      assertRight(...await Promise.all(trials.map((trial) => runTrial(gpu, trial))));
    }
  });
}
