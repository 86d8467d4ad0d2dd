/**
 * The options of every subcommand that opens a device: which WebGPU, and which of its features and limits to do
 * without.
 *
 * @module
 */
import { type Command, InvalidArgumentError, Option } from "./commander.ts";
import type { GpuOptions } from "../gpu/gpu.ts";
import { DEFAULT_LIMITS, type Feature, FEATURES, type Limit, LIMITS, UNUSED_FEATURE } from "../gpu/ladder.ts";
import { WEBGPU_NAMES, WEBGPU_VARIABLE, type WebGpuName } from "../gpu/webgpu.ts";

/** Values of {@link addDeviceOptions}. */
export interface DeviceOptions {
  /** The implementation; the environment's, unless told otherwise. */
  readonly webgpu?: WebGpuName;
  /** Features to do without. */
  readonly disableFeature?: readonly Feature[];
  /** Limits to keep to. */
  readonly limit?: Readonly<Partial<Record<Limit, number>>>;
}

/** Adds the options to a subcommand. */
export function addDeviceOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--webgpu <name>", `implementation of WebGPU (default: ${WEBGPU_VARIABLE}, or deno)`)
        .choices(WEBGPU_NAMES),
    )
    .option(
      "--disable-feature <name>",
      `do without an optional feature (${
        FEATURES.join(", ")
      }, all; ${UNUSED_FEATURE} is never used); may be ` +
        "given several times",
      disabledFeature,
    )
    .option(
      "--limit <name=value>",
      "keep to a lower limit than the adapter's, as maxBufferSize=268435456, or to WebGPU's defaults with " +
        "default; may be given several times",
      limit,
    );
}

/** What the device is opened with. */
export function gpuOptions({ webgpu, disableFeature, limit }: DeviceOptions): GpuOptions {
  return {
    ...(webgpu && { webgpu }),
    ...(disableFeature && { disabledFeatures: disableFeature }),
    ...(limit && { limits: limit }),
  };
}

/** A feature, or all of them, besides those given before. */
export function disabledFeature(text: string, before: readonly Feature[] = []): readonly Feature[] {
  if (text === "all") return FEATURES;
  if (text === UNUSED_FEATURE) {
    console.error(`kvbench: ${UNUSED_FEATURE} is never used: there is nothing to do without`);
    return before;
  }
  const feature = FEATURES.find((name) => name === text);
  if (feature === undefined) throw new InvalidArgumentError(`Wanted ${FEATURES.join(", ")} or all`);
  return [...before, feature];
}

/** A limit, or all of them at WebGPU's defaults, besides those given before. */
export function limit(
  text: string,
  before: Readonly<Partial<Record<Limit, number>>> = {},
): Readonly<Partial<Record<Limit, number>>> {
  if (text === "default") return { ...before, ...DEFAULT_LIMITS };
  const [, key, digits] = /^(\w+)=(\d+)$/.exec(text) ?? [];
  const name = LIMITS.find((each) => each === key);
  const value = Number(digits);
  if (name === undefined || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError(`Wanted default, or NAME=VALUE with a name of ${LIMITS.join(", ")}`);
  }
  return { ...before, [name]: value };
}
