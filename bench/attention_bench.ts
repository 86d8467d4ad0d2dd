/**
 * `Deno.bench` suite of decode attention at GPT-2 124M's shape: K and V contiguous, and paged by 16 in a shuffled
 * order, by storage type. The same kernel body, so the difference is the block table. Then textures and buffers.
 */
import { attentionBench, BENCH_OPTIONS } from "./support.ts";

for (const context of [128, 512]) {
  for (const dtype of ["f32", "f16", "int8"] as const) {
    for (const strategy of ["kv-cache", "paged"] as const) {
      const kernel = await attentionBench({ strategy, context, dtype });
      Deno.bench({
        ...BENCH_OPTIONS,
        name: `${strategy}: ${kernel.times} layers`,
        group: `decode attention, context ${context}, ${dtype}`,
        baseline: strategy === "kv-cache",
        fn: kernel.run,
      });
    }
  }
}

for (const dtype of ["f32", "f16", "int8"] as const) {
  for (const texels of [true, false]) {
    const kernel = await attentionBench({ strategy: "kv-cache", context: 512, dtype, texels });
    Deno.bench({
      ...BENCH_OPTIONS,
      name: `${texels ? "textures" : "buffers"}: ${kernel.times} layers`,
      group: `decode attention, context 512, ${dtype}, by where K and V are`,
      baseline: texels,
      fn: kernel.run,
    });
  }
}
