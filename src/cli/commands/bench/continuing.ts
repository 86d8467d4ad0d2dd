/** Continuing an interrupted result: whether that may be done here. */
import { mayBeSameBackend } from "../../../gpu/backend.ts";
import { isDeepEqual } from "../../../base/equal.ts";
import { KvbenchError } from "../../../base/errors.ts";
import type { BenchResult } from "../../../measure/record/result.ts";

/**
 * Refuses to continue a result in other surroundings: its cells could not be compared with each other.
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
    if (isDeepEqual(before[key], now[key])) continue;
    if (key === "backend" && mayBeSameBackend(before.backend, now.backend)) continue;
    throw new KvbenchError(
      `Cannot go on with ${path}: it was begun with another ${key}. Begin a new result in place of it`,
    );
  }
}
