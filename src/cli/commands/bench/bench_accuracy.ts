/**
 * `bench`'s comparison of narrower numbers with float32, before anything is timed.
 *
 * @module
 */
import { isExactKv } from "../../../formats/kv_dtype.ts";
import { DEFAULT_DTYPE, formatOf } from "../../../formats/registry.ts";
import { KvbenchError } from "../../../base/errors.ts";
import type { NeedContext, WorkNeed } from "../../../engine/work_need.ts";
import {
  type Accuracy,
  accuracyNeed,
  accuracyOf,
  type AccuracyProgress,
  type Reference,
  referenceOf,
} from "../../../measure/quality/accuracy.ts";
import { benchNeed } from "../../../measure/run/bench_need.ts";
import { groupsOf, promptsOf } from "../../../measure/run/grid.ts";
import type { Plan } from "../../../measure/run/plan.ts";
import type { TensorSource } from "../../../checkpoint/checkpoint.ts";
import type { Gpt2 } from "../../../model/gpt2.ts";
import type { BenchOptions } from "../../options/bench_options.ts";
import { expectFit, withModel } from "../../session/session.ts";
import { withProgress } from "../../terminal/progress.ts";

/** The comparison as a result records it. */
interface AccuracyRecord {
  /** An entry for each type of K and V, where these or the weights are narrower than float32. */
  readonly accuracy: Accuracy[];
  /** Why there is none where there should be. */
  readonly accuracy_missing: string | null;
}

/** The float32 side of the comparison where that takes a model of its own, or the reason that there is none. */
type Prepared = Reference | { readonly missing: string } | undefined;

/**
 * Loads the model in float32 for a while, where it will be measured in another type.
 *
 * @throws {KvbenchError} If it is damaged or the device fails; not if it is too large.
 */
export async function prepareReference(
  checkpoint: TensorSource,
  plan: Plan,
  options: BenchOptions,
): Promise<Prepared> {
  if (!options.accuracy) return { missing: "--no-accuracy" };
  if (formatOf(options.weightsDtype).exact) return undefined;
  // What does not fit is refused before the reference, which is larger, is loaded.
  await expectFit(checkpoint, options, (context) => benchNeed(context, plan));
  const f32 = { ...options, weightsDtype: DEFAULT_DTYPE, kvDtype: DEFAULT_DTYPE, autotune: false } as const;
  try {
    return await withModel(
      checkpoint,
      f32,
      (model) => reference(model, plan),
      { work: (context) => referenceNeed(context, plan) },
    );
  } catch (error) {
    if (!(error instanceof KvbenchError)) throw error;
    return { missing: error.message };
  }
}

/** Compares the types of K and V that the plan has, with the weights of the model. */
export async function compareWithF32(model: Gpt2, plan: Plan, prepared: Prepared): Promise<AccuracyRecord> {
  const narrow = plan.grid.kv_dtype.filter((dtype) =>
    !isExactKv(dtype) || !formatOf(model.weightsDtype).exact
  );
  const accuracy: Accuracy[] = [];
  if (narrow.length === 0) return { accuracy, accuracy_missing: null };
  if (prepared && "missing" in prepared) return { accuracy, accuracy_missing: prepared.missing };
  const f32 = prepared ?? await reference(model, plan);
  for (const dtype of narrow) {
    const what = `Comparing ${model.weightsDtype} weights and ${dtype} K/V with float32`;
    accuracy.push(await withPositions(what, (onProgress) => accuracyOf(model, f32, dtype, onProgress)));
  }
  return { accuracy, accuracy_missing: null };
}

/** Memory that {@linkcode reference} needs besides the weights. */
function referenceNeed(context: NeedContext, plan: Plan): WorkNeed {
  const { settings: { prompt_tokens, new_tokens } } = groupsOf(plan)[0]![0]!;
  return accuracyNeed(context, prompt_tokens, new_tokens);
}

/** Computes the logits of float32 on the first prompt of the plan. */
async function reference(model: Gpt2, plan: Plan): Promise<Reference> {
  const { settings } = groupsOf(plan)[0]![0]!;
  const [prompt] = promptsOf(plan, settings, model.config.vocabSize);
  return await withPositions(
    "Computing float32 logits",
    (onProgress) => referenceOf(model, prompt!, settings.new_tokens, onProgress),
  );
}

/** Shows how many positions are done while `work` runs. */
async function withPositions<T>(
  what: string,
  work: (onProgress: AccuracyProgress) => Promise<T>,
): Promise<T> {
  return await withProgress(async (bar) => {
    bar.start(what);
    let begun = false;
    return await work((done, total) => {
      if (!begun) bar.start(what, total, "positions");
      begun = true;
      bar.update(done);
    });
  });
}
