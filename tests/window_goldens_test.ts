/**
 * The strategy `window`: its logits and ids are those of its definition, in batches and for every length of a step.
 */
import { withDecoder } from "../src/engine/with_decoder.ts";
import { checkReference } from "../src/measure/run/reference_check.ts";
import { RANDOM_SMALL } from "./cli_support.ts";
import { gpuTest } from "./gpu_support.ts";
import { checkStrategyCase, goldenTests, openModel } from "./strategy_goldens.ts";

goldenTests("window", "A window computes what PyTorch says", async (model, item, logits) => {
  const options = { sinks: Number(item.sinks), window: Number(item.window) };
  if (item.rows === "each") {
    await checkStrategyCase(model, item, logits, { kvOptions: options, nSequences: 1 });
  }
  const kvOptions = { ...options, window_chunk: 7 };
  await checkStrategyCase(model, item, logits, { kvOptions, nSequences: 3 });
});

gpuTest("A window agrees with its reference, a full computation with the same mask", async (gpu) => {
  const model = await openModel(gpu, RANDOM_SMALL);
  const prompts = [Array.from({ length: 30 }, (_, i) => 7 * i), [3], [5, 4, 3, 2, 1]], ids: number[][] = [];
  const options = { strategy: "window", nSequences: 3, maxPromptTokens: 30, maxTokens: 46 };
  for (
    const [sinks, window, window_chunk, kvDtype] of [
      [4, 5, 1, "f32"],
      [0, 9, 16, "int8"],
      [2, 1, 3, "f32"],
      [4, 252, 16, "f16"],
    ] as const
  ) {
    const decoding = { ...options, kvDtype, kvOptions: { sinks, window, window_chunk } };
    await withDecoder(model, decoding, async (decoder) => {
      decoder.begin(prompts);
      decoder.advance(12);
      ids.splice(0, 3, ...await decoder.ids(prompts.map(({ length }) => length)));
    });
    await checkReference(model, decoding, { prompts, ids });
  }
  model.dispose();
});
