/** The check that a model fits, before any of it is loaded. */
import { KvbenchError } from "../../base/errors.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { type NeedContext, type SizeLimits, totalOf, type WorkNeed } from "../../engine/work_need.ts";
import type { Gpt2Config } from "../../checkpoint/config.ts";
import { type MemoryNeed, memoryNeed, type StorageOptions } from "../../model/memory.ts";
import { tuningFor } from "../../model/tuning.ts";
import { formatBytes } from "../../report/units.ts";
import { isGranted } from "../../host/permissions.ts";

/** Memory for the runtime itself and for one tensor on its way to the GPU. */
const HOST_BYTES = 512 * 2 ** 20;

/** Need from which an unknown fit is reported. */
const WORTH_A_WORD_BYTES = 2 ** 30;

/** A model's fit, with the reason and both numbers unless it is `yes`. */
export interface Fit {
  readonly fits: "yes" | "no" | "unknown";
  readonly reason: string;
}

/** Bytes that are free for a model, or the reason that they are unknown. */
type FreeMemory = { readonly bytes: number } | { readonly bytes: null; readonly unknown: string };

/**
 * Compares the need of weights and work with the device's limits and the free memory.
 *
 * @param work Need besides the weights. Default: one sequence of a full context.
 */
export function fitOf(
  need: MemoryNeed,
  limits: Pick<SizeLimits, "maxBufferSize" | "maxStorageBufferBindingSize">,
  free: FreeMemory,
  work?: WorkNeed,
): Fit {
  const most = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
  const tooLarge = (what: string, bytes: number, mostBytes: number): Fit => ({
    fits: "no",
    reason: `${what} takes ${formatBytes(bytes)}, this adapter binds at most ${formatBytes(mostBytes)}`,
  });
  if (need.largestBufferBytes > most) return tooLarge(need.largestBuffer, need.largestBufferBytes, most);
  if (work !== undefined && work.largest.bytes > work.largest.mostBytes) {
    return tooLarge(work.largest.what, work.largest.bytes, work.largest.mostBytes);
  }
  const workBytes = work === undefined ? need.totalBytes - need.weightsBytes : totalOf(work);
  const kvBytes = work === undefined ? workBytes - need.activationsBytes : work.kvBytes;
  const wanted = need.weightsBytes + workBytes + HOST_BYTES;
  const needs = `it needs ${formatBytes(wanted)} (weights ${formatBytes(need.weightsBytes)}, K/V ${
    formatBytes(kvBytes)
  }, activations and tables ${formatBytes(workBytes - kvBytes)})`;
  if (free.bytes === null) return { fits: "unknown", reason: `${needs}, and ${free.unknown}` };
  if (wanted <= free.bytes) return { fits: "yes", reason: "" };
  return { fits: "no", reason: `${needs}, this machine has ${formatBytes(free.bytes)} free` };
}

/** Computes the need of work besides the weights. */
export type WorkOf = (context: NeedContext) => WorkNeed;

interface CheckOptions {
  /** Work with the model. Default: one sequence of a full context. */
  readonly work?: WorkOf | undefined;
  /** Prints a line if a large model's fit is unknown. */
  say(line: string): void;
}

/**
 * Refuses a model that does not fit together with its work.
 *
 * @throws {KvbenchError} Naming both numbers.
 */
export function checkMemory(
  gpu: Pick<Gpu, "facts" | "device">,
  model: { readonly name: string; readonly config: Gpt2Config },
  storage: StorageOptions,
  { work: workOf, say }: CheckOptions,
): void {
  const need = memoryNeed(model.config, storage);
  const { limits } = gpu.device;
  const { weightsDtype } = storage;
  const work = workOf?.({ config: model.config, tuning: tuningFor(gpu.facts), weightsDtype, limits });
  const { fits, reason } = fitOf(need, limits, freeMemory(gpu), work);
  if (fits === "no") {
    throw new KvbenchError(
      `${model.name} does not fit: ${reason}; a smaller --model, narrower --weights-dtype and --kv-dtype, and fewer ` +
        "or shorter sequences at once take less",
    );
  }
  const bytes = work === undefined ? need.totalBytes : need.weightsBytes + totalOf(work);
  if (fits === "unknown" && bytes >= WORTH_A_WORD_BYTES) {
    say(`Whether ${model.name} fits is unknown: ${reason}`);
  }
}

/**
 * Returns the memory that is free for a model: the machine's for a software adapter, if the permission is there. WebGPU does
 * not tell a hardware adapter's.
 */
export function freeMemory({ facts }: Pick<Gpu, "facts">): FreeMemory {
  if (!facts.software) return { bytes: null, unknown: "WebGPU does not tell what this adapter has free" };
  if (isGranted({ name: "sys", kind: "systemMemoryInfo" })) {
    return { bytes: Deno.systemMemoryInfo().available };
  }
  return { bytes: null, unknown: "asking what is free needs --allow-sys=systemMemoryInfo" };
}
