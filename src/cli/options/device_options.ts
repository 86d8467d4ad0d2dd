/**
 * The options of every subcommand that opens a device: which WebGPU, and which of its features and limits to do
 * without.
 */
import { type Command, InvalidArgumentError } from "./commander.ts";
import {
  DEFAULT_LIMITS,
  type Feature,
  FEATURES,
  type Limit,
  LIMITS,
  UNUSED_FEATURE,
} from "../../gpu/limits.ts";
import { WEBGPU_NAMES } from "../../gpu/webgpu.ts";
import type { GpuOptions } from "../../host/gpu.ts";
import { WEBGPU_VARIABLE } from "../../host/variables.ts";
import { addOptions, optionList, type Values } from "./option_spec.ts";

const group = "WebGPU and kernels";

/** The options of every subcommand that opens a device. */
const DEVICE_OPTIONS = optionList(
  {
    flags: "--webgpu <name>",
    help: "Implementation of WebGPU",
    group,
    choices: WEBGPU_NAMES,
    defaultText: `${WEBGPU_VARIABLE}, else deno`,
  },
  {
    flags: "--disable-feature <name>",
    help: `Do without an optional feature: ${FEATURES.join(", ")}, all (repeatable; ${UNUSED_FEATURE} is ` +
      "never used)",
    group,
    parse: disabledFeature,
  },
  {
    flags: "--limit <name=value>",
    help: "Keep a limit below the adapter's, such as maxBufferSize=268435456, or every limit at WebGPU's " +
      "default with default (repeatable)",
    group,
    parse: limit,
  },
);

/** Values of {@link DEVICE_OPTIONS}. */
export type DeviceOptions = Values<typeof DEVICE_OPTIONS>;

/** Adds the options to a subcommand. */
export function addDeviceOptions(command: Command): Command {
  return addOptions(command, ...DEVICE_OPTIONS);
}

/** Returns the settings that a device is opened with. */
export function gpuOptions({ webgpu, disableFeature, limit }: DeviceOptions): GpuOptions {
  return {
    ...(webgpu && { webgpu }),
    ...(disableFeature && { disabledFeatures: disableFeature }),
    ...(limit && { limits: limit }),
  };
}

/** A feature, or all of them, besides those given before. */
function disabledFeature(text: string, before: readonly Feature[] = []): readonly Feature[] {
  if (text === "all") return FEATURES;
  if (text === UNUSED_FEATURE) {
    console.error(`kvbench: ${UNUSED_FEATURE} is never used: there is nothing to do without`);
    return before;
  }
  const feature = FEATURES.find((name) => name === text);
  if (feature === undefined) throw new InvalidArgumentError(`Expected ${FEATURES.join(", ")} or all`);
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
    throw new InvalidArgumentError(`Expected default, or NAME=VALUE with a name of ${LIMITS.join(", ")}`);
  }
  return { ...before, [name]: value };
}
