/**
 * Golden prompts of the embedded model: logits and greedy ids that PyTorch computed in float64 from the same weights.
 *
 * @module
 */
import golden from "./golden.json" with { type: "json" };
import { withDecoder } from "../engine/with_decoder.ts";
import type { StrategyName } from "../kv/strategy.ts";
import type { Gpt2 } from "../model/gpt2.ts";
import { compare, type Comparison } from "../base/comparison.ts";

/** What kvbench promises for float32 weights. */
export const PROMISED_TOLERANCE = 2e-3;
/**
 * What it keeps on software adapters: logits of up to 40 are 9e-5 off after 1024 tokens, 2e-5 in the other
 * cases. Hardware has other errors in exp() and in the order of sums.
 */
export const SOFTWARE_TOLERANCE = 2e-4;

/** Whether there are golden prompts for a model with these weights. */
export function hasGolden(weightsSha256: string): boolean {
  return weightsSha256 === golden.weights_sha256;
}

/** Steps that {@linkcode checkGolden} counts: kernels are compiled, logits are there, ids are there. */
export const GOLDEN_STEPS = 3;

/**
 * Decodes the golden prompts together, and compares the logits behind each and the ids that follow it.
 *
 * @param model The embedded one, in float32.
 * @param onProgress Called with the steps done so far, of {@linkcode GOLDEN_STEPS}.
 * @throws {KvbenchError} If a kernel does not compile or the device fails.
 */
export async function checkGolden(
  model: Gpt2,
  strategy: StrategyName,
  onProgress: (steps: number) => void = () => {},
): Promise<Comparison[]> {
  const { cases } = golden;
  const prompts = cases.map(({ ids }) => ids);
  const maxPromptTokens = Math.max(...prompts.map(({ length }) => length));
  const newTokens = Math.min(...cases.map(({ greedy_ids }) => greedy_ids.length));
  const maxTokens = maxPromptTokens + newTokens;
  const size = { nSequences: cases.length, maxPromptTokens, maxTokens, capacityTokens: maxTokens };
  const options = { strategy, growth: "static", blockSize: 16, ...size } as const;
  const tolerance = model.gpu.facts.software ? SOFTWARE_TOLERANCE : PROMISED_TOLERANCE;
  return await withDecoder(model, options, async (decoder) => {
    onProgress(1);
    decoder.begin(prompts);
    const logits = await decoder.logits();
    onProgress(2);
    decoder.begin(prompts);
    decoder.advance(newTokens);
    const ids = await decoder.ids(prompts.map(({ length }) => length));
    onProgress(GOLDEN_STEPS);
    return cases.flatMap((item, s) => {
      const own = item.logits.map(([id]) => logits[s]![id!]!);
      const wanted = item.logits.map(([, value]) => value!);
      const wrong = item.greedy_ids.findIndex((id, i) => ids[s]![i] !== id);
      return [
        compare(own, wanted, { what: `logits behind prompt "${item.name}"`, tolerance }),
        {
          what: `${newTokens} ids behind prompt "${item.name}"`,
          largestError: item.greedy_ids.filter((id, i) => ids[s]![i] !== id).length,
          tolerance: 0,
          at: wrong < 0
            ? "every id is right"
            : `new token ${wrong + 1}: ${ids[s]![wrong]}, expected ${item.greedy_ids[wrong]}`,
        },
      ];
    });
  });
}
