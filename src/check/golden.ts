/**
 * Golden prompts of the embedded model: logits and greedy ids that PyTorch computed in float64 from the same weights.
 */
import golden from "./golden.json" with { type: "json" };
import { withDecoder } from "../engine/with_decoder.ts";
import { decodingNeed, inTurn, type NeedContext, type WorkNeed } from "../engine/work_need.ts";
import type { DecodingOptions } from "../engine/with_decoder.ts";
import { DEFAULT_DTYPE } from "../formats/registry.ts";
import type { FirstDispatch } from "../gpu/recorder.ts";
import { logitTolerance } from "../measure/quality/logit_tolerance.ts";
import type { Model } from "../model/model.ts";
import { compare, type Comparison } from "../base/comparison.ts";

/** Name of the check in records. */
export const GOLDEN_PROMPTS = "golden prompts";

/** Tells whether there are golden prompts for a model with these weights. */
export function hasGolden(weightsSha256: string): boolean {
  return weightsSha256 === golden.weights_sha256;
}

/** New tokens that are compared behind each prompt. */
const NEW_TOKENS = Math.min(...golden.cases.map(({ greedy_ids }) => greedy_ids.length));

function decodingOf(strategy: string): DecodingOptions {
  const maxPromptTokens = Math.max(...golden.cases.map(({ ids }) => ids.length));
  return {
    strategy,
    nSequences: golden.cases.length,
    maxPromptTokens,
    maxTokens: maxPromptTokens + NEW_TOKENS,
  };
}

/** Computes what {@linkcode checkGolden} takes beside the weights, with one strategy after another. */
export function goldenNeed(context: NeedContext, strategies: readonly string[]): WorkNeed {
  return inTurn(...strategies.map((strategy) => decodingNeed(context, decodingOf(strategy))));
}

/** Steps that {@linkcode checkGolden} counts: kernels are compiled, logits are there, ids are there. */
export const GOLDEN_STEPS = 3;

/**
 * Decodes the golden prompts together, and compares the logits behind each and the ids that follow it.
 *
 * @param model The embedded one, in float32.
 * @param onProgress Called with the steps done so far, of {@linkcode GOLDEN_STEPS}.
 * @param onKernel Called before a kernel is first dispatched.
 * @throws {KvbenchError} If a kernel does not compile or the device fails.
 */
export async function checkGolden(
  model: Model,
  strategy: string,
  onProgress: (steps: number) => void = () => {},
  onKernel?: FirstDispatch,
): Promise<Comparison[]> {
  const { cases } = golden;
  const prompts = cases.map(({ ids }) => ids);
  const tolerance = logitTolerance(model, DEFAULT_DTYPE);
  return await withDecoder(model, decodingOf(strategy), async (decoder) => {
    onProgress(1);
    decoder.runner.recorder.onFirstDispatch = onKernel;
    decoder.begin(prompts);
    const logits = await decoder.logits();
    onProgress(2);
    decoder.begin(prompts);
    await decoder.advance(NEW_TOKENS);
    const ids = await decoder.ids(prompts.map(({ length }) => length));
    onProgress(GOLDEN_STEPS);
    return cases.flatMap((item, s) => {
      const own = item.logits.map(([id]) => logits[s]![id!]!);
      const wanted = item.logits.map(([, value]) => value!);
      const wrong = item.greedy_ids.findIndex((id, i) => ids[s]![i] !== id);
      return [
        compare(own, wanted, { what: `logits behind prompt "${item.name}"`, tolerance }),
        {
          what: `${NEW_TOKENS} ids behind prompt "${item.name}"`,
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
