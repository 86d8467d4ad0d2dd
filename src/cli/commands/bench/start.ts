/** The record that `bench` keeps of its own start. */
import type { Start } from "../../../measure/record/start.ts";
import { type DriverCacheState, driverCacheState, foundInCache } from "../../session/driver_cache.ts";
import type { Session } from "../../session/session.ts";

/** Drivers that keep compiled kernels elsewhere than Mesa does. */
const NOT_MESA = /nvidia/i;

/** Describes the start, now that measuring begins. */
export async function startOf(
  { gpu, model: { loadMs }, remembered, locateMs, tuningMs }: Session,
  cacheBefore: DriverCacheState | undefined,
): Promise<Start> {
  const { vendor, description } = gpu.facts;
  const isMesa = !NOT_MESA.test(`${vendor} ${description}`);
  return {
    driver_cache: isMesa ? foundInCache(cacheBefore, await driverCacheState()) : "unknown",
    tuning_remembered: remembered,
    model_ms: locateMs,
    weights_ms: loadMs.weights,
    kernels_ms: loadMs.kernels,
    tuning_ms: tuningMs,
    ready_ms: performance.now(),
  };
}
