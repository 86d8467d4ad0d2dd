/**
 * What a hardware GPU's compiler makes of hardware's kernels: Mesa's RADV compiles them for three families of AMD GPUs.
 *
 * @module
 */
import assert from "node:assert/strict";
import { inspectKernels, Unavailable } from "../tools/hardware/driver.ts";
import { permitted } from "./permitted.ts";

/** Loads of a lane under way at once, in products of one row and of few. */
const LEAST_LOADS = 12;
/** The same where a product by subgroups makes its norm: inputs are in workgroup memory, and of tiles a lane has six. */
const LEAST_NORMED_LOADS = 6;
/** Least waves of a SIMD of prefill's kernels; attention's bar is 12. */
const LEAST_WAVES = { NAVI21: 6, GFX1100: 6, VEGA20: 2 } as const;

Deno.test({
  name: "Compilers for AMD GPUs spill nothing, and have twelve loads of a product under way at once",
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
    for (const [family, { spills, scratch, loads, waves }] of Object.entries(families)) {
      const expect = (holds: boolean, what: string) => {
        if (!holds) wrong.push(`${name}, ${step}, ${dtype} (${kernel}) on ${family}: ${what}`);
      };
      expect(spills === 0 && scratch === 0, `${spills} spills, ${scratch} bytes of scratch`);
      const split = /^linear_rows?_(split|subgroup)/.test(kernel);
      const least = /^(qkv|fc) by subgroups/.test(name) ? LEAST_NORMED_LOADS : LEAST_LOADS;
      if (split) expect(loads >= least, `${loads} loads under way`);
      expect(waves >= LEAST_WAVES[family as keyof typeof LEAST_WAVES], `${waves} waves`);
    }
  }
  assert.deepEqual(wrong, []);
  assert.ok(kernels.some(({ kernel }) => kernel === "linear_row_split.wgsl"), "no product of one row");
  assert.ok(kernels.some(({ kernel }) => kernel === "linear_rows_block.wgsl"), "no product of many rows");
});
