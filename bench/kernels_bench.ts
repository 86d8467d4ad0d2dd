/**
 * `Deno.bench` suite of the linear kernels at GPT-2 124M's shapes: one, eight and sixteen rows, by storage type; and
 * of FC with its operands in textures and in buffers. A measurement is enough dispatches to outweigh a submission; the file's `n` and `warmup` keep it short.
 */
import { type BatchedKernel, BENCH_OPTIONS, linearBench, TEXELS } from "./support.ts";

const SHAPES = [["qkv", 192, 576], ["proj", 192, 192], ["fc", 192, 768], ["out", 768, 192]] as const;

const ROWS = { 1: "one row", 8: "eight rows", 16: "sixteen rows" } as const;

for (const nRows of [1, 8, 16] as const) {
  for (const [name, k4, n4] of SHAPES) {
    for (const dtype of ["f32", "f16", "int8"] as const) {
      const kernel: BatchedKernel = await linearBench({ k4, n4, nRows, dtype });
      Deno.bench({
        ...BENCH_OPTIONS,
        name: `${dtype}: ${kernel.times} × ${ROWS[nRows]}`,
        group: `${name} [${k4 * 4}, ${n4 * 4}], ${ROWS[nRows]}`,
        baseline: dtype === "f32",
        fn: kernel.run,
      });
    }
  }
}

const [, , [, k4, n4]] = SHAPES;
for (const nRows of [1, 16] as const) {
  for (const dtype of ["f32", "f16", "int8"] as const) {
    for (const texels of [TEXELS, !TEXELS]) {
      const kernel = await linearBench({ k4, n4, nRows, dtype, texels });
      Deno.bench({
        ...BENCH_OPTIONS,
        name: `${texels ? "textures" : "buffers"}: ${kernel.times} × ${ROWS[nRows]}`,
        group: `fc in ${dtype}, ${ROWS[nRows]}`,
        baseline: texels === TEXELS,
        fn: kernel.run,
      });
    }
  }
}
