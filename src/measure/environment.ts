/**
 * Where a measurement was taken: runtime, machine, adapter and kernels, as a result records them.
 *
 * @module
 */
import { VERSION } from "../version.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { readbackMs } from "../gpu/readback.ts";
import { type Gpt2, KERNELS_TEXT } from "../model/gpt2.ts";
import type { BenchResult } from "./result.ts";

/** Describes the surroundings of a run. Measures the fence and the readback. */
export async function describeEnvironment(gpu: Gpu, model: Gpt2): Promise<BenchResult["environment"]> {
  const { description, vendor, architecture, device, software } = gpu.facts;
  const limits: Record<string, number> = {};
  for (const name of Object.keys(gpu.facts.limits)) {
    limits[name] = gpu.device.limits[name as keyof GPUSupportedLimits] as number;
  }
  return {
    kvbench: VERSION,
    deno: Deno.version.deno,
    v8: Deno.version.v8,
    typescript: Deno.version.typescript,
    os: Deno.build.os,
    arch: Deno.build.arch,
    cpu: { model: await cpuModel(), cores: navigator.hardwareConcurrency },
    adapter: {
      description,
      vendor,
      architecture,
      device,
      software,
      features: [...gpu.device.features].sort(),
      limits,
    },
    kernels_sha256: await sha256(KERNELS_TEXT),
    tuning: Object.fromEntries(Object.entries(model.tuning).map(([key, value]) => [key, plain(value)])),
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

/** The CPU's name where the system tells it and may be asked. */
async function cpuModel(): Promise<string | null> {
  const path = "/proc/cpuinfo";
  if (Deno.build.os !== "linux") return null;
  if ((await Deno.permissions.query({ name: "read", path })).state !== "granted") return null;
  const text = await Deno.readTextFile(path).catch(() => "");
  return text.match(/^model name\s*:\s*(.+)$/m)?.[1] ?? null;
}

async function sha256(text: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))).toHex();
}
