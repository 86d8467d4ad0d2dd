/**
 * The record that a run of `bench` begins with, and whether an interrupted one may be taken up again here.
 *
 * @module
 */
import { mayBeSameBackend } from "../../../gpu/backend.ts";
import { isDeepStrictEqual } from "node:util";
import { KvbenchError } from "../../../base/errors.ts";
import { machineFacts } from "../../../host/machine.ts";
import { describeEnvironment } from "../../../measure/record/environment.ts";
import type { Plan } from "../../../measure/run/plan.ts";
import { type BenchResult, SCHEMA_VERSION } from "../../../measure/record/result.ts";
import type { WeightsOrigin } from "../../../checkpoint/checkpoint.ts";
import { parameterCount } from "../../../checkpoint/config.ts";
import type { AccuracyRecord } from "./bench_accuracy.ts";
import type { Session } from "../../session/session.ts";

/** A result with nothing measured yet. Measures the fence and the readback. */
export async function emptyResult(
  { gpu, model, modelName }: Session,
  plan: Plan,
  weights: WeightsOrigin,
  { accuracy, accuracy_missing }: AccuracyRecord,
): Promise<BenchResult> {
  const { nLayer, nHead, nEmbd, nCtx, vocabSize } = model.config;
  return {
    schema_version: SCHEMA_VERSION,
    kind: "kvbench.bench",
    created: new Date().toISOString(),
    complete: false,
    command: [...Deno.args],
    environment: await describeEnvironment(gpu, model.tuning, await machineFacts()),
    model: {
      name: modelName,
      n_layer: nLayer,
      n_head: nHead,
      n_embd: nEmbd,
      n_ctx: nCtx,
      vocab_size: vocabSize,
      n_parameters: parameterCount(model.config),
      weights,
      weights_dtype: model.weightsDtype,
    },
    plan,
    accuracy,
    accuracy_missing,
    groups: [],
    cells: [],
    unfinished: null,
  };
}

/**
 * Refuses to go on elsewhere than where a result was begun: its cells could not be compared with each other.
 *
 * @param path Of the interrupted result.
 * @param fresh What would be begun here.
 * @throws {KvbenchError} Naming what differs.
 */
export function assertContinues(path: string, result: BenchResult, fresh: BenchResult): void {
  const facts = ({ environment: { adapter, ...environment }, model, plan }: BenchResult) => ({
    "version of kvbench": environment.kvbench,
    "version of Deno": environment.deno,
    "kernels": [environment.kernels_sha256, environment.tuning],
    "adapter": [adapter.description, adapter.vendor, adapter.device],
    "backend": adapter.backend,
    "CPU": [environment.os, environment.arch, environment.cpu],
    "model": model,
    "plan": plan,
  });
  const [before, now] = [facts(result), facts(fresh)];
  for (const key of Object.keys(before) as (keyof typeof before)[]) {
    if (isDeepStrictEqual(before[key], now[key])) continue;
    if (key === "backend" && mayBeSameBackend(before.backend, now.backend)) continue;
    throw new KvbenchError(
      `Cannot go on with ${path}: it was begun with another ${key}. Begin a new result in place of it`,
    );
  }
}
