/**
 * Products that store K and V in passing write them to the right slots of every kind of K/V memory, as they write them to
 * their output.
 */
import { kvKinds } from "../src/check/kv_memory.ts";
import { runTrial } from "../src/check/run_trial.ts";
import { PRESETS } from "../src/checkpoint/config.ts";
import { isStoredByVector } from "../src/formats/kv_dtype.ts";
import { HARDWARE_TUNING, SOFTWARE_TUNING } from "../src/model/tuning.ts";
import { storedTrial, storingKernelsOf } from "../wgsl/ops/linear/stored_trials.ts";
import { assertRight, gpuTest } from "./gpu_support.ts";

const config = PRESETS.gpt2, kinds = kvKinds();
/** What all kernels are tried on; the other memories are found by functions that know nothing of kernels. */
const KIND = kinds[0]!;

for (const tuning of [SOFTWARE_TUNING, HARDWARE_TUNING]) {
  const kernels = storingKernelsOf(tuning);
  gpuTest(
    `Products store heads of every size in every type by vector (${tuning.name} tuning)`,
    async (gpu) => {
      const dtypes = ["f32", "f16", "f32/f16"].filter((dtype) => isStoredByVector(dtype, tuning));
      for (const kernel of kernels) {
        for (const dtype of dtypes) {
          const own = { ...kernel, config, kind: KIND, dtype };
          for (const heads of [{ nHead: 3, headDim: 20 }, { nHead: 1, headDim: 4 }]) {
            assertRight(await runTrial(gpu, storedTrial({ ...own, ...heads })));
          }
        }
      }
    },
  );
  gpuTest(
    `Products store K and V in every kind of memory, in their slots alone (${tuning.name} tuning)`,
    async (gpu) => {
      const [kernel] = kernels as [typeof kernels[number]];
      for (const kind of kinds) {
        assertRight(
          await runTrial(gpu, storedTrial({ ...kernel, config, kind, dtype: "f32", nHead: 2, headDim: 8 })),
        );
      }
    },
  );
}
