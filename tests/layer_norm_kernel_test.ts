/** `layer_norm.wgsl` against its reference: padded widths, rows with a large mean, and gathered rows. */
import { runTrial } from "../src/check/run_trial.ts";
import { PRESETS } from "../src/checkpoint/config.ts";
import { HARDWARE_TUNING, SOFTWARE_TUNING } from "../src/model/tuning.ts";
import { normTrial } from "../wgsl/ops/layer_norm/operator.ts";
import { assertRight, gpuTest } from "./gpu_support.ts";

for (const tuning of [SOFTWARE_TUNING, HARDWARE_TUNING]) {
  for (const nEmbd of [4, 18, 20, 80, 768, 770]) {
    for (const gather of [false, true]) {
      const title = `width ${nEmbd}, ${gather ? "gathered rows" : "all rows"}, ${tuning.name} tuning`;
      gpuTest(`layer_norm.wgsl equals the reference (${title})`, async (gpu) => {
        const config = { ...PRESETS.gpt2, nEmbd };
        for (const nRows of [1, 2, 7, 8, 9, 65]) {
          assertRight(await runTrial(gpu, normTrial({ config, gather, tuning, nRows })));
        }
      });
    }
  }
}
