/**
 * The options of every subcommand that loads a model: which one, how its numbers are stored on the GPU, and on what
 * device.
 *
 * @module
 */
import type { Command } from "./commander.ts";
import { type KvDtype, kvDtypeOf } from "../../formats/kv_dtype.ts";
import { MODEL_NAMES } from "../../hub/locate.ts";
import { DEFAULT_DTYPE, type Dtype, KV_DTYPES, WEIGHT_DTYPES } from "../../formats/registry.ts";
import { addDeviceOptions, type DeviceOptions } from "./device_options.ts";
import { addOptions, inGroup, type OptionSpec } from "./option_spec.ts";
import { syntheticSeed } from "./values.ts";

/** Values of {@link addModelOptions}. */
export interface ModelOptions extends DeviceOptions {
  /** Name or folder of the model. */
  readonly model: string;
  /** Storage type of weight matrices on the GPU. */
  readonly weightsDtype: Dtype;
  /** Seed of made-up weights in place of a checkpoint's. */
  readonly weights?: number;
  /** True if kernel variants are chosen by measurement, false for the defaults of the adapter's kind. */
  readonly autotune: boolean;
  /** True if a remembered choice is measured again. */
  readonly retune: boolean;
}

/** Values of {@link addModelOptions} and {@link addKvDtypeOptions}. */
export interface PrecisionOptions extends ModelOptions {
  /** Storage types of K and V. */
  readonly kvDtype: KvDtype;
}

/** The options of every subcommand that loads a model. */
const MODEL_OPTIONS: readonly OptionSpec[] = [
  { flags: "--model <name>", help: `Model: ${MODEL_NAMES}`, group: "Model", default: "tiny" },
  {
    flags: "--weights <source>",
    help: "synthetic or synthetic:SEED: random weights of the model's size in place of a checkpoint",
    group: "Model",
    parse: syntheticSeed,
  },
  {
    flags: "--weights-dtype <type>",
    help: "Storage type of weight matrices on the GPU",
    group: "Model",
    choices: WEIGHT_DTYPES,
    default: DEFAULT_DTYPE,
  },
  {
    flags: "--no-autotune",
    help: "Take the default kernel variants without timing any",
    group: "WebGPU and kernels",
  },
  {
    flags: "--retune",
    help: "Time the kernel variants again and replace the remembered choice",
    group: "WebGPU and kernels",
    default: false,
  },
];

/** The storage types of K and V. */
const KV_DTYPE_OPTIONS: readonly OptionSpec[] = inGroup("K/V memory", {
  flags: "--kv-dtype <type>",
  help: "Storage type of K and V on the GPU",
  choices: KV_DTYPES,
  default: DEFAULT_DTYPE,
}, {
  flags: "--k-dtype <type>",
  help: "Storage type of K alone",
  choices: KV_DTYPES,
  defaultText: "that of --kv-dtype",
}, {
  flags: "--v-dtype <type>",
  help: "Storage type of V alone",
  choices: KV_DTYPES,
  defaultText: "that of --kv-dtype",
});

/** Adds the shared options to a subcommand. */
export function addModelOptions(command: Command): Command {
  return addOptions(addDeviceOptions(command), ...MODEL_OPTIONS);
}

/** Adds the storage types of K and V to a subcommand, whose `kvDtype` names both. */
export function addKvDtypeOptions(command: Command): Command {
  return addOptions(command, ...KV_DTYPE_OPTIONS).hook("preAction", (self) => {
    const { kvDtype, kDtype = kvDtype, vDtype = kvDtype } = self.opts<Record<string, Dtype>>();
    self.setOptionValueWithSource(
      "kvDtype",
      kvDtypeOf(kDtype!, vDtype!),
      self.getOptionValueSource("kvDtype"),
    );
  });
}
