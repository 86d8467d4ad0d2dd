/**
 * The surroundings of a measurement, as a result records them: the machine as it was described, and the adapter, the
 * kernels and the fence as they are found here.
 */
import { sha256Hex } from "../../base/sha256.ts";
import { VERSION } from "../../base/version.ts";
import { adapterRecord } from "../../gpu/adapter.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { readbackMs } from "../../gpu/readback.ts";
import { KERNELS_TEXT } from "../../model/gpt2.ts";
import type { Tuning } from "../../model/tuning.ts";
import type { Environment } from "./environment_schema.ts";

/** The runtime and the machine under a GPU, which nothing on it tells. */
export type MachineFacts = Pick<
  Environment,
  "git_commit" | "deno" | "v8" | "typescript" | "os" | "os_release" | "arch" | "cpu" | "load_average"
>;

/** Describes the surroundings of a run. Measures the fence and the readback. */
export async function describeEnvironment(
  gpu: Gpu,
  tuning: Tuning,
  machine: MachineFacts,
): Promise<Environment> {
  const limits: Record<string, number> = {};
  for (const name of Object.keys(gpu.facts.limits)) {
    limits[name] = gpu.device.limits[name as keyof GPUSupportedLimits] as number;
  }
  const { git_commit, deno, v8, typescript, os, os_release, arch, cpu, load_average } = machine;
  return {
    kvbench: VERSION,
    git_commit,
    deno,
    v8,
    typescript,
    webgpu: gpu.facts.webgpu,
    os,
    os_release,
    arch,
    cpu,
    load_average,
    adapter: { ...adapterRecord(gpu.facts, gpu.device), limits },
    kernels_sha256: await sha256Hex(new TextEncoder().encode(KERNELS_TEXT)),
    tuning: Object.fromEntries(Object.entries(tuning).map(([key, value]) => [key, plain(value)])),
    fence: {
      blocks: gpu.fence.blocks,
      cost_us: await gpu.fence.costMs() * 1000,
      readback_ms: await readbackMs(gpu),
    },
  };
}

function plain(value: string | number | boolean | readonly number[]): string | number | boolean {
  return typeof value === "object" ? value.join(",") : value;
}
