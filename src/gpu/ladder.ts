/**
 * What a device is opened with: the optional features and the raised limits that kvbench can use, each of which can
 * be switched off, down to what every WebGPU has.
 *
 * @module
 */
import { KvbenchError, UsageError } from "../base/errors.ts";
import type { AdapterFacts } from "./adapter.ts";

/** Optional WebGPU features that are asked for where the adapter has them. */
export const FEATURES = ["shader-f16", "timestamp-query", "subgroups"] as const;
/** An optional feature that kvbench asks for. */
export type Feature = typeof FEATURES[number];
/** An optional feature that would suit what changes from step to step, and that nothing here asks for. */
export const UNUSED_FEATURE = "immediates";

/**
 * Limits that are raised to what the adapter offers, and what every WebGPU offers
 * (https://www.w3.org/TR/webgpu/#limits).
 */
export const DEFAULT_LIMITS = {
  maxBufferSize: 256 << 20,
  maxStorageBufferBindingSize: 128 << 20,
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupStorageSize: 16 << 10,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxTextureDimension2D: 8192,
} as const;
/** A limit that kvbench raises. */
export type Limit = keyof typeof DEFAULT_LIMITS;
/** All of them. */
export const LIMITS = Object.keys(DEFAULT_LIMITS) as Limit[];

/** What a device must do without. */
export interface Ladder {
  /** Features that are not asked for: none, unless told otherwise. */
  readonly disabledFeatures?: readonly Feature[];
  /** The most that is asked for of a limit: all that the adapter has, unless told otherwise. */
  readonly limits?: Readonly<Partial<Record<Limit, number>>>;
}

/** The lowest rung: no optional feature, no limit above the default. */
export const LOWEST: Ladder = { disabledFeatures: FEATURES, limits: DEFAULT_LIMITS };

/**
 * What to ask an adapter for.
 *
 * @throws {UsageError} If a limit is below what every WebGPU has.
 * @throws {KvbenchError} If a limit is above what the adapter has.
 */
export function requirements(
  { description, features, limits: offered }: AdapterFacts,
  { disabledFeatures = [], limits = {} }: Ladder,
): { readonly requiredFeatures: Feature[]; readonly requiredLimits: Record<Limit, number> } {
  const asked = LIMITS.map((name): [Limit, number] => {
    const most = offered[name] ?? DEFAULT_LIMITS[name];
    const value = limits[name] ?? most;
    if (value < Math.min(most, DEFAULT_LIMITS[name])) {
      throw new UsageError(
        `The limit ${name} is ${value}: every WebGPU has ${DEFAULT_LIMITS[name]}, wanted no less`,
      );
    }
    if (value > most) {
      throw new KvbenchError(
        `The limit ${name} is ${value}: the adapter "${description}" has at most ${most}`,
      );
    }
    return [name, value];
  });
  return {
    requiredFeatures: FEATURES.filter((name) => features.includes(name) && !disabledFeatures.includes(name)),
    requiredLimits: Object.fromEntries(asked) as Record<Limit, number>,
  };
}
