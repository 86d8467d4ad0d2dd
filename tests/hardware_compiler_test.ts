/**
 * What a hardware GPU's compiler makes of hardware's kernels: Mesa's RADV compiles them for three families of AMD GPUs.
 */
import assert from "node:assert/strict";
import { inspectKernels, Unavailable } from "../tools/hardware/driver.ts";
import { permitted } from "./permitted.ts";

/** Loads of a lane under way at once, in products of one row and of few, and in attention of single rows. */
const LEAST_LOADS = 12;
/** The same of products of few rows that lanes round for each other: a tile and two vectors, of the next inputs. */
const LEAST_ROUNDED_LOADS = 3;
/** The same of the sampler, whose lanes are many. */
const LEAST_SAMPLE_LOADS = 8;
/** Least waves of a SIMD: of all kernels, and of prefill's attention. */
const LEAST_WAVES: Readonly<Record<string, { readonly all: number; readonly attention: number }>> = {
  NAVI21: { all: 8, attention: 12 },
  GFX1100: { all: 8, attention: 12 },
  VEGA20: { all: 2, attention: 4 }, // of 64 lanes
};
/** Least bytes of workgroup memory of prefill's kernels, which have what they read there. */
const LEAST_SHARED = 8192;
/** The same where it is rounded to a byte an element. */
const LEAST_ROUNDED_SHARED = 4096;

Deno.test({
  name:
    "Compilers for AMD GPUs spill nothing, and have twelve loads of products and attention under way at once",
  ignore: Deno.build.os !== "linux" || !permitted("read", "write", "run", "env"),
}, async () => {
  let kernels;
  try {
    kernels = await inspectKernels();
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    console.error(`skipped: ${error.message}`);
    return;
  }
  const wrong: string[] = [];
  for (const { name, step, dtype, kernel, families } of kernels) {
    for (const [family, { spills, scratch, loads, waves, workgroupBytes }] of Object.entries(families)) {
      const expect = (holds: boolean, what: string) => {
        if (!holds) wrong.push(`${name}, ${step}, ${dtype} (${kernel}) on ${family}: ${what}`);
      };
      expect(spills === 0 && scratch === 0, `${spills} spills, ${scratch} bytes of scratch`);
      const waits = /^(linear_rows?_(split|subgroup)|attention_decode)/.test(kernel);
      const rounded = kernel.endsWith("_dot.wgsl");
      const least = rounded ? LEAST_ROUNDED_LOADS : LEAST_LOADS;
      if (waits) expect(loads >= least, `${loads} loads under way`);
      if (kernel === "sample.wgsl") expect(loads >= LEAST_SAMPLE_LOADS, `${loads} loads under way`);
      const { all, attention } = LEAST_WAVES[family]!;
      expect(waves >= (kernel.startsWith("attention_prefill") ? attention : all), `${waves} waves`);
      const shared = rounded ? LEAST_ROUNDED_SHARED : LEAST_SHARED;
      if (step === "prefill") expect(workgroupBytes >= shared, `${workgroupBytes} bytes shared`);
    }
  }
  assert.deepEqual(wrong, []);
  assert.ok(kernels.some(({ kernel }) => kernel === "linear_row_split.wgsl"), "no product of one row");
  assert.ok(kernels.some(({ kernel }) => kernel === "linear_rows_block.wgsl"), "no product of many rows");
  for (const kernel of ["attention_decode_along.wgsl", "attention_prefill_shared.wgsl"]) {
    assert.ok(kernels.some((each) => each.kernel === kernel), kernel);
  }
});
