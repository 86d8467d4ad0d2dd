/**
 * Refusing a model that can't fit before a byte of it is loaded.
 *
 * @module
 */
import { KvbenchError } from "../errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { Gpt2Config } from "../model/config.ts";
import { type MemoryNeed, memoryNeed, type StorageOptions } from "../model/memory.ts";
import { formatBytes } from "../report/units.ts";

/** What must stay free for the runtime itself and for one tensor on its way to the GPU. */
const HOST_BYTES = 512 * 2 ** 20;

/** A model that needs less is not worth a word where nothing can be said. */
const WORTH_A_WORD_BYTES = 2 ** 30;

/** Whether a model fits, and where it does not or nobody knows: why, naming both numbers. */
export interface Fit {
  readonly fits: "yes" | "no" | "unknown";
  readonly reason: string;
}

/** Bytes that are free for a model, or why nobody knows. */
export type FreeMemory = { readonly bytes: number } | { readonly bytes: null; readonly unknown: string };

/**
 * Compares what weights, activations and one sequence's K/V need with the device's limits and with what is free.
 *
 * @param limits Those of the device.
 */
export function fitOf(
  need: MemoryNeed,
  limits: Pick<GPUSupportedLimits, "maxBufferSize" | "maxStorageBufferBindingSize">,
  free: FreeMemory,
): Fit {
  const most = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
  if (need.largestBufferBytes > most) {
    const takes = `${need.largestBuffer} takes ${formatBytes(need.largestBufferBytes)}`;
    return { fits: "no", reason: `${takes}, this adapter binds at most ${formatBytes(most)}` };
  }
  const wanted = need.totalBytes + HOST_BYTES;
  const needs = `it needs ${formatBytes(wanted)} (weights ${formatBytes(need.weightsBytes)})`;
  if (free.bytes === null) return { fits: "unknown", reason: `${needs}, and ${free.unknown}` };
  if (wanted <= free.bytes) return { fits: "yes", reason: "" };
  return { fits: "no", reason: `${needs}, this machine has ${formatBytes(free.bytes)} free` };
}

/**
 * Refuses a model that does not fit.
 *
 * @param say Gets a line where a large model's fit is unknown.
 * @throws {KvbenchError} Naming both numbers.
 */
export async function checkMemory(
  gpu: Pick<Gpu, "facts" | "device">,
  model: { readonly name: string; readonly config: Gpt2Config },
  storage: StorageOptions,
  say: (line: string) => void,
): Promise<void> {
  const need = memoryNeed(model.config, storage);
  const { fits, reason } = fitOf(need, gpu.device.limits, await freeMemory(gpu));
  if (fits === "no") {
    throw new KvbenchError(
      `${model.name} does not fit: ${reason}; a smaller --model or narrower --weights-dtype and --kv-dtype take less`,
    );
  }
  if (fits === "unknown" && need.totalBytes >= WORTH_A_WORD_BYTES) {
    say(`Whether ${model.name} fits is unknown: ${reason}`);
  }
}

/**
 * Asks what is free for a model: on a software adapter what the machine has, where that may be asked. Of a hardware
 * adapter WebGPU tells nothing.
 */
export async function freeMemory({ facts }: Pick<Gpu, "facts">): Promise<FreeMemory> {
  if (!facts.software) return { bytes: null, unknown: "WebGPU does not tell what this adapter has free" };
  const { state } = await Deno.permissions.query({ name: "sys", kind: "systemMemoryInfo" });
  if (state === "granted") return { bytes: Deno.systemMemoryInfo().available };
  return { bytes: null, unknown: "asking what is free needs --allow-sys=systemMemoryInfo" };
}
