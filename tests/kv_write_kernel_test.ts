/**
 * `kv_write.wgsl` copies K and V bit by bit, or as the storage type rounds them, to the right slots of every kind of
 * K/V memory.
 */
import { kvKinds } from "../src/check/kv_memory.ts";
import { runTrial } from "../src/check/run_trial.ts";
import { HARDWARE_TUNING, SOFTWARE_TUNING } from "../src/model/tuning.ts";
import { kvWriteTrial } from "../wgsl/ops/kv_write/operator.ts";
import { assertRight, gpuTest } from "./gpu_support.ts";

const TUNINGS = [SOFTWARE_TUNING, HARDWARE_TUNING];
/** A head of one vector, and heads that are padded; from textures and from buffers. */
const CASES = [{ nHead: 1, headDim: 4 }, { nHead: 3, headDim: 18 }].flatMap((heads) =>
  TUNINGS.map((tuning) => ({ ...heads, tuning }))
);
/** Heads of a word of eight values, and of whole texels. */
const WHOLE_WORDS = [{ nHead: 3, headDim: 8 }, { nHead: 1, headDim: 64 }].flatMap((heads) =>
  TUNINGS.map((tuning) => ({ ...heads, tuning }))
);

/** The memory that all types are tried in: others find a token's slot elsewhere, whatever is stored there. */
const KIND = "paged by 16";

for (const kind of kvKinds()) {
  gpuTest(`kv_write.wgsl copies K and V to their slots and touches no other (${kind})`, async (gpu) => {
    for (const item of CASES) assertRight(await runTrial(gpu, kvWriteTrial({ ...item, dtype: "f32", kind })));
  });
  gpuTest(`kv_write.wgsl stores narrower types as the reference does (${kind})`, async (gpu) => {
    const [few, words] = kind === KIND ? [CASES, WHOLE_WORDS] : [CASES.slice(2), WHOLE_WORDS.slice(2)];
    for (const dtype of kind === KIND ? ["f16", "int8", "f32/int8", "int8/f16"] : ["int8"]) {
      for (const item of few) assertRight(await runTrial(gpu, kvWriteTrial({ ...item, dtype, kind })));
    }
    for (const dtype of kind === KIND ? ["int4", "int4/f16", "int8/int4"] : ["int8/int4"]) {
      for (const item of words) {
        assertRight(await runTrial(gpu, kvWriteTrial({ ...item, dtype, kind })));
      }
    }
  });
}
