/**
 * Refusing a model that can't fit before a byte of it is loaded.
 *
 * @module
 */
import { KvbenchError } from "../errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { Gpt2Config } from "../model/config.ts";
import { memoryNeed, type StorageOptions } from "../model/memory.ts";
import { formatBytes } from "../report/units.ts";

/** What must stay free for the runtime itself and for one tensor on its way to the GPU. */
const HOST_BYTES = 512 * 2 ** 20;

/**
 * Checks weights, activations and one sequence's K/V against the device's limits and, on a software adapter, whose
 * memory is the machine's, against what is free.
 *
 * @throws {KvbenchError} Naming both numbers.
 */
export async function checkMemory(
  gpu: Gpu,
  model: { readonly name: string; readonly config: Gpt2Config },
  storage: StorageOptions,
): Promise<void> {
  const need = memoryNeed(model.config, storage);
  const { maxBufferSize, maxStorageBufferBindingSize } = gpu.device.limits;
  const most = Math.min(maxBufferSize, maxStorageBufferBindingSize);
  if (need.largestBufferBytes > most) {
    throw new KvbenchError(
      `${model.name} does not fit: ${need.largestBuffer} takes ${
        formatBytes(need.largestBufferBytes)
      }, this ` +
        `adapter binds at most ${formatBytes(most)}; a narrower --weights-dtype or --kv-dtype takes less`,
    );
  }
  if (!gpu.facts.software) return;
  const free = await availableMemory();
  if (free === null) return;
  const wanted = need.totalBytes + HOST_BYTES;
  if (wanted <= free) return;
  throw new KvbenchError(
    `${model.name} does not fit: it needs ${formatBytes(wanted)} (weights ${
      formatBytes(need.weightsBytes)
    }), this ` +
      `machine has ${formatBytes(free)} free; a smaller --model or a narrower --weights-dtype takes less`,
  );
}

/** The machine's free memory in bytes, or null where it may not be asked. */
export async function availableMemory(): Promise<number | null> {
  const { state } = await Deno.permissions.query({ name: "sys", kind: "systemMemoryInfo" });
  return state === "granted" ? Deno.systemMemoryInfo().available : null;
}
