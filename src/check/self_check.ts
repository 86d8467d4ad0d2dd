/** The first task of a benchmark: it makes sure that this adapter computes what it should. */
import { WrongResultsError } from "../base/errors.ts";
import { isExactKv } from "../formats/kv_dtype.ts";
import { type Dtype, formatOf } from "../formats/registry.ts";
import { plainStrategy, strategyNamed } from "../kv/registry.ts";
import type { WeightsOrigin } from "../checkpoint/checkpoint.ts";
import type { FirstDispatch } from "../gpu/recorder.ts";
import type { Gpt2 } from "../model/gpt2.ts";
import { checkGolden, GOLDEN_PROMPTS, GOLDEN_STEPS, hasGolden } from "./golden.ts";
import { kernelChecks, type Verdict, verdictOf, verdictsToFirstWrong } from "./kernel_checks.ts";

/** The model to be timed. */
export interface SelfCheckOptions {
  /** Origin of the weights. */
  readonly weights: WeightsOrigin;
  /** The strategies to be timed. Golden prompts are decoded with the first one that is exact. Default: the plain cache. */
  readonly strategies: readonly string[];
  /** Storage types of K and V. */
  readonly kvDtypes: readonly Dtype[];
  /** Called before and after each check, with how many are done. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Called before a kernel of the golden prompts is first dispatched. */
  readonly onKernel?: FirstDispatch;
}

/**
 * Decodes the golden prompts where the model has some and all its numbers are float32; otherwise, or if that goes
 * wrong, holds every kernel that it uses against its CPU reference.
 *
 * @returns What was checked, all of it `right`.
 * @throws {WrongResultsError} Naming the first kernel that is wrong.
 */
export async function selfCheck(model: Gpt2, options: SelfCheckOptions): Promise<Verdict[]> {
  const { gpu, config, tuning, weightsDtype } = model;
  const { weights, kvDtypes, onProgress = () => {}, onKernel } = options;
  const timed = options.strategies.map(strategyNamed);
  let wrong: string | undefined;
  const exact = formatOf(weightsDtype).exact && kvDtypes.every(isExactKv);
  if (exact && weights.source === "checkpoint" && hasGolden(weights.sha256)) {
    onProgress(0, GOLDEN_STEPS);
    const { name } = timed.find(({ traits }) => traits.exact) ?? plainStrategy();
    const comparisons = await checkGolden(model, name, (steps) => onProgress(steps, GOLDEN_STEPS), onKernel);
    const verdict = verdictOf({ kernel: GOLDEN_PROMPTS, variant: name }, comparisons);
    if (verdict.verdict === "right") return [verdict];
    wrong = `${GOLDEN_PROMPTS} differ, though every kernel equals its CPU reference: ${verdict.detail}`;
  }
  const checks = kernelChecks({ config, tunings: [tuning], weightsDtypes: [weightsDtype], kvDtypes }, timed);
  onProgress(0, checks.length);
  const all = await verdictsToFirstWrong(gpu, checks, (done) => onProgress(done, checks.length));
  const kernel = all.find(({ verdict }) => verdict !== "right");
  if (kernel) wrong = `${kernel.kernel} (${kernel.variant || "its only variant"}): ${kernel.detail}`;
  if (wrong === undefined) return all;
  throw new WrongResultsError(
    `The adapter "${gpu.facts.description}" computes wrong results, so nothing is timed: ${wrong}. Run ` +
      "`kvbench selftest` for the whole table",
  );
}
