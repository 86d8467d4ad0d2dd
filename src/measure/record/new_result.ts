/** The record that a benchmark begins with. */
import type { WeightsOrigin } from "../../checkpoint/checkpoint.ts";
import type { Model } from "../../model/model.ts";
import type { Plan } from "../run/plan.ts";
import { describeEnvironment, type MachineFacts } from "./environment.ts";
import { headOf } from "./record.ts";
import { BENCH_KIND, type BenchResult } from "./result.ts";

/** A benchmark that is about to begin. */
export interface NewResult {
  /** Plan of the measurement. */
  readonly plan: Plan;
  /** Name of the model. */
  readonly name: string;
  /** Source of the weights. */
  readonly weights: WeightsOrigin;
  /** Runtime and machine. */
  readonly machine: MachineFacts;
  /** Arguments of the command. Default: none. */
  readonly command?: readonly string[];
  /** Checks that the adapter passed. Default: null. */
  readonly selfCheck?: BenchResult["self_check"];
  /** Comparisons of narrower numbers with float32. Default: none. */
  readonly accuracy?: BenchResult["accuracy"];
  /** Quality of the cells that are not exact. Default: none. */
  readonly quality?: BenchResult["quality"];
  /** Reason that there are none where there should be. Default: null. */
  readonly accuracyMissing?: string | null;
  /** Gain of paging in sequences. Default: null. */
  readonly sequences?: BenchResult["sequences"];
  /** Start of the process. Default: null. */
  readonly start?: BenchResult["start"];
}

/** Makes a result with nothing measured yet. Measures the fence and the readback. */
export async function newResult(
  model: Model,
  options: NewResult,
): Promise<BenchResult> {
  const { plan, name, weights, machine, command = [], accuracy = [], quality = [] } = options;
  const { selfCheck = null, accuracyMissing = null, sequences = null, start = null } = options;
  return {
    ...headOf(BENCH_KIND),
    created: new Date().toISOString(),
    complete: false,
    command: [...command],
    environment: await describeEnvironment(model.gpu, model.tuning, machine),
    model: modelRecord(model, name, weights),
    plan,
    self_check: selfCheck,
    accuracy,
    quality,
    accuracy_missing: accuracyMissing,
    sequences,
    start,
    groups: [],
    cells: [],
    unfinished: null,
  };
}

/** Describes a model as records do. */
export function modelRecord(model: Model, name: string, weights: WeightsOrigin): BenchResult["model"] {
  const { nLayer, nHead, nEmbd, nCtx, vocabSize } = model.config;
  return {
    name,
    n_layer: nLayer,
    n_head: nHead,
    n_embd: nEmbd,
    n_ctx: nCtx,
    vocab_size: vocabSize,
    n_parameters: model.nParameters,
    weights,
    weights_dtype: model.weightsDtype,
  };
}
