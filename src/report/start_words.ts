/** The start of a measurement in words: cold or warm, and its parts. */
import type { Start } from "../measure/record/start.ts";
import { inEnglish, inWords, type Say } from "./lang.ts";
import { formatMs } from "./units.ts";

/** States of the driver's cache at a start. */
const DRIVER_CACHE: Readonly<Record<Start["driver_cache"], string>> = {
  empty: inEnglish`the driver's cache of compiled kernels was empty`,
  partial: inEnglish`the driver's cache lacked some kernels`,
  full: inEnglish`the driver had all kernels compiled`,
  unknown: inEnglish`the driver's cache can't be seen`,
};

/** Says why a start was cold or warm. */
export function sayDriverCache(cache: Start["driver_cache"], t: Say = inEnglish): string {
  return inWords(DRIVER_CACHE[cache], t);
}

/** Names the kind of a start. */
export function startKind({ driver_cache: cache }: Pick<Start, "driver_cache">, t: Say = inEnglish): string {
  if (cache === "unknown") return t`cold or warm start unknown`;
  return cache === "full" ? t`warm start` : t`cold start`;
}

/** Says a start with its reason and its times. */
export function sayStart(start: Start, t: Say = inEnglish): string {
  const variants = start.tuning_remembered
    ? t`kernel variants were remembered`
    : t`no kernel variants were remembered`;
  const tried = start.tuning_ms === 0 ? [] : [t`trying kernel variants ${formatMs(start.tuning_ms)}`];
  const parts = [
    t`finding the model ${formatMs(start.model_ms)}`,
    t`weights ${formatMs(start.weights_ms)}`,
    t`first kernels ${formatMs(start.kernels_ms)}`,
    ...tried,
  ];
  return t`Start: ${startKind(start, t)}, as ${
    sayDriverCache(start.driver_cache, t)
  }; ${variants}. Measuring began after ${formatMs(start.ready_ms)} (${parts.join(t`, `)}).`;
}
