/**
 * Optional features and raised limits that a device is opened with, each of which can be switched off, down to the
 * defaults that every WebGPU has.
 */
import { KvbenchError, UsageError } from "../base/errors.ts";
import type { AdapterFacts } from "./adapter.ts";

/** Optional features that are requested if the adapter has them. */
export const FEATURES = ["shader-f16", "timestamp-query", "subgroups"] as const;
/** An optional feature that kvbench uses. */
export type Feature = typeof FEATURES[number];
/** An optional feature that users may ask about and kvbench never requests. */
export const UNUSED_FEATURE = "immediates";

/** Limits that are raised to the adapter's, with their defaults (https://www.w3.org/TR/webgpu/#limits). */
export const DEFAULT_LIMITS = {
  maxBufferSize: 256 << 20,
  maxStorageBufferBindingSize: 128 << 20,
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupStorageSize: 16 << 10,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxTextureDimension2D: 8192,
} as const;
/** Features that implementations may grant where adapters do not list them: Deno 2.9 has subgroups on Vulkan and hides them. */
const UNLISTED: readonly Feature[] = ["subgroups"];
/** A limit that kvbench raises. */
export type Limit = keyof typeof DEFAULT_LIMITS;
/** Names of the limits that kvbench raises. */
export const LIMITS = Object.keys(DEFAULT_LIMITS) as Limit[];

/** Restrictions of a device below its adapter. */
export interface DeviceLimits {
  /** Features that are not requested. Default: none. */
  readonly disabledFeatures?: readonly Feature[];
  /** Values of limits. Default: the adapter's. */
  readonly limits?: Readonly<Partial<Record<Limit, number>>>;
}

/** The lowest device: no optional feature, every limit at its default. */
export const LOWEST_LIMITS: DeviceLimits = { disabledFeatures: FEATURES, limits: DEFAULT_LIMITS };

/** Features and limits to request. */
export interface Requirements {
  /** Features that the adapter lists. */
  readonly requiredFeatures: Feature[];
  /** Features that it may have all the same: to be asked for, and done without where it refuses. */
  readonly unlistedFeatures: Feature[];
  /** Limits. */
  readonly requiredLimits: Record<Limit, number>;
}

/**
 * Returns the features and limits to request from an adapter.
 *
 * @throws {UsageError} If a limit is below its default.
 * @throws {KvbenchError} If a limit is above the adapter's.
 */
export function requirements(
  { description, features, limits: offered }: AdapterFacts,
  { disabledFeatures = [], limits = {} }: DeviceLimits,
): Requirements {
  const asked = LIMITS.map((name): [Limit, number] => {
    const most = offered[name] ?? DEFAULT_LIMITS[name];
    const value = limits[name] ?? most;
    if (value < Math.min(most, DEFAULT_LIMITS[name])) {
      throw new UsageError(
        `The limit ${name} is ${value}: expected at least ${DEFAULT_LIMITS[name]}, which every WebGPU has`,
      );
    }
    if (value > most) {
      throw new KvbenchError(
        `The limit ${name} is ${value}: the adapter "${description}" has at most ${most}`,
      );
    }
    return [name, value];
  });
  const allowed = (names: readonly Feature[], listed: boolean) =>
    names.filter((name) => features.includes(name) === listed && !disabledFeatures.includes(name));
  return {
    requiredFeatures: allowed(FEATURES, true),
    unlistedFeatures: allowed(UNLISTED, false),
    requiredLimits: Object.fromEntries(asked) as Record<Limit, number>,
  };
}
