/**
 * Runs trials: binds a trial's buffers, compiles its kernels as the model does, and passes their results to the
 * trial's judge.
 */
import type { Comparison } from "../base/comparison.ts";
import { DEFAULT_DTYPE } from "../formats/registry.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { LedgerVectors } from "../gpu/ledger.ts";
import { batchOf } from "../model/batch.ts";
import { compilePlans, type Use } from "../model/plan.ts";
import type { Trial } from "../model/trial.ts";
import { createKvMemory, type KvMemory } from "./kv_memory.ts";
import { download, layoutsOf, runBatch, type Scratch, withScratch } from "./scratch.ts";

/**
 * Runs a trial.
 *
 * @throws {KvbenchError} If a kernel does not compile or the device fails.
 */
export function runTrial(gpu: Gpu, trial: Trial): Promise<Comparison> {
  return withScratch(gpu, (scratch) => runIn(scratch, trial));
}

async function runIn(scratch: Scratch, trial: Trial): Promise<Comparison> {
  const { gpu } = scratch, { config, tuning, weightsDtype = DEFAULT_DTYPE, dispatches } = trial;
  const layouts = layoutsOf(gpu, tuning);
  const context = { device: gpu.device, layouts, config, tuning, weightsDtype };
  const memory: KvMemory | undefined = trial.kv &&
    createKvMemory(scratch, { ...trial.kv, texels: tuning.texels });
  const kv = memory?.upload();
  const made = new Map<string, LedgerVectors>();
  const bufferOf = (name: string, use: Use): LedgerVectors => {
    const values = trial.buffers[name];
    if (!values) throw new Error(`A trial binds ${name}: expected it among its buffers`);
    const isTexture = tuning.texels && (use === "operand" || use === "result");
    const buffer = made.get(name) ?? scratch.vectors(values, { texels: isTexture });
    made.set(name, buffer);
    return buffer;
  };
  const compiled = await Promise.all(dispatches.map(async ({ plan, uses, bound = {}, kv: side }) => {
    const entries = Object.entries<Use>(uses).map((
      [name, use],
    ) => [name, bufferOf(bound[name] ?? name, use)]);
    const kernel = await compilePlans(gpu.device, [plan(context, memory?.source)]);
    const group = layouts.of(uses).bind(Object.fromEntries(entries));
    return { kernel, groups: [group, ...kv && side ? [kv[side]] : []] };
  }));
  const batch = batchOf(trial.spans);
  runBatch(gpu, batch, (recorder) => {
    for (const { kernel, groups } of compiled) kernel.record(recorder, groups, batch);
  });
  const floats = (name: string) => download(gpu, made.get(name)!);
  return await trial.judge({
    floats,
    words: async (name) => new Uint32Array((await floats(name)).buffer),
    kv: () => memory!.outcome(),
  });
}
