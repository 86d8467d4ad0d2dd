/** `bench`'s comparison of what is not exact with full float32, before anything is timed. */
import { isExactKv } from "../../../formats/kv_dtype.ts";
import { DEFAULT_DTYPE, type Dtype, formatOf } from "../../../formats/registry.ts";
import { KvbenchError, UsageError } from "../../../base/errors.ts";
import type { NeedContext, WorkNeed } from "../../../engine/work_need.ts";
import {
  type Accuracy,
  accuracyNeed,
  accuracyOf,
  type AccuracyProgress,
  type Reference,
  referenceOf,
} from "../../../measure/quality/accuracy.ts";
import {
  cellsToScore,
  type ReferenceParts,
  referenceParts,
  scoreAll,
} from "../../../measure/quality/bench_quality.ts";
import type { ScoredCell } from "../../../measure/quality/scored_cell.ts";
import { TALE } from "../../../measure/quality/tale.ts";
import { benchNeed } from "../../../measure/run/bench_need.ts";
import { groupsOf, madeUpPrompt, promptsOf } from "../../../measure/run/grid.ts";
import type { Plan } from "../../../measure/run/plan.ts";
import type { Gpt2Config } from "../../../checkpoint/config.ts";
import type { Tokenizer } from "../../../checkpoint/tokenizer.ts";
import type { TensorSource } from "../../../checkpoint/checkpoint.ts";
import type { Gpt2 } from "../../../model/gpt2.ts";
import type { BenchOptions } from "../../options/bench_options.ts";
import { expectFit, withModel } from "../../session/session.ts";
import { withProgress } from "../../terminal/progress.ts";

/** The comparison as a result records it. */
interface AccuracyRecord {
  /** An entry for each type of K and V, where these or the weights are narrower than float32. */
  readonly accuracy: Accuracy[];
  /** The quality of each cell that is not exact. */
  readonly quality: ScoredCell[];
  /** Why there is none where there should be. */
  readonly accuracy_missing: string | null;
}

/** The float32 side of the comparison. */
interface Float32 {
  readonly accuracy: Reference;
  readonly quality: ReferenceParts;
}

/** That side where it takes a model of its own, or the reason that there is none. */
type Prepared = Float32 | { readonly missing: string } | undefined;

/** A plan, and the text that its cells are scored on. */
interface Work {
  readonly plan: Plan;
  readonly text: readonly number[];
}

/**
 * Loads the model in float32 for a while, where it will be measured in another type.
 *
 * @throws {KvbenchError} If it is damaged or the device fails; not if it is too large.
 */
export async function prepareReference(
  checkpoint: TensorSource,
  work: Work,
  options: BenchOptions,
): Promise<Prepared> {
  const { plan } = work;
  if (!options.accuracy) return { missing: "--no-accuracy" };
  if (formatOf(options.weightsDtype).exact) return undefined;
  // What does not fit is refused before the reference, which is larger, is loaded.
  await expectFit(checkpoint, options, (context) => benchNeed(context, plan));
  const f32 = { ...options, weightsDtype: DEFAULT_DTYPE, kvDtype: DEFAULT_DTYPE, autotune: false } as const;
  try {
    return await withModel(
      checkpoint,
      f32,
      (model) => float32Of(model, work, options.weightsDtype),
      { work: (context) => referenceNeed(context, plan) },
    );
  } catch (error) {
    if (!(error instanceof KvbenchError)) throw error;
    return { missing: error.message };
  }
}

/** Compares the types of K and V that the plan has, with the weights of the model, and each cell that is not exact. */
export async function compareWithF32(model: Gpt2, work: Work, prepared: Prepared): Promise<AccuracyRecord> {
  const { plan } = work, { weightsDtype } = model;
  const narrow = plan.grid.kv_dtype.filter((dtype) => !isExactKv(dtype) || !formatOf(weightsDtype).exact);
  const cells = cellsToScore(plan, weightsDtype);
  const accuracy: Accuracy[] = [], none = { accuracy, quality: [], accuracy_missing: null };
  if (narrow.length === 0 && cells.length === 0) return none;
  if (prepared && "missing" in prepared) return { ...none, accuracy_missing: prepared.missing };
  const f32 = prepared ?? await float32Of(model, work, weightsDtype);
  for (const dtype of narrow) {
    const what = `Comparing ${weightsDtype} weights and ${dtype} K/V with float32`;
    accuracy.push(
      await withPositions(what, (onProgress) => accuracyOf(model, f32.accuracy, dtype, onProgress)),
    );
  }
  const quality = await withProgress((bar) => {
    bar.start("Scoring cells that are not exact", cells.length, "cells");
    return scoreAll(model, cells, f32.quality, (done) => bar.update(done));
  });
  return { accuracy, quality, accuracy_missing: null };
}

/** Returns the text that cells are scored on: a tale, or made-up ids where the model has no tokens for it. */
export function scoredText(
  tokenizer: Tokenizer | undefined,
  { nCtx, vocabSize }: Gpt2Config,
): readonly number[] {
  try {
    if (tokenizer) return tokenizer.encode(TALE);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error; // a vocabulary that is no English one
  }
  return madeUpPrompt(nCtx, vocabSize, 0);
}

/** Memory that {@linkcode float32Of} needs besides the weights. */
function referenceNeed(context: NeedContext, plan: Plan): WorkNeed {
  const { settings: { prompt_tokens, new_tokens } } = groupsOf(plan)[0]![0]!;
  return accuracyNeed(context, prompt_tokens, new_tokens);
}

/** Computes the logits of float32 on the first prompt of the plan, and on the text. */
async function float32Of(model: Gpt2, { plan, text }: Work, weightsDtype: Dtype): Promise<Float32> {
  const { settings } = groupsOf(plan)[0]![0]!;
  const [prompt] = promptsOf(plan, settings, model.config.vocabSize);
  const accuracy = await withPositions(
    "Computing float32 logits",
    (onProgress) => referenceOf(model, prompt!, settings.new_tokens, onProgress),
  );
  return { accuracy, quality: await referenceParts(model, cellsToScore(plan, weightsDtype), text) };
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
