/**
 * The options of every subcommand that loads a model: which one, how its numbers are stored on the GPU, and on what
 * device.
 */
import type { Command } from "./commander.ts";
import { type KvDtype, kvDtypeOf } from "../../formats/kv_dtype.ts";
import { MODEL_NAMES } from "../../hub/locate.ts";
import { DEFAULT_DTYPE, KV_DTYPES, WEIGHT_DTYPES } from "../../formats/registry.ts";
import { addDeviceOptions, type DeviceOptions } from "./device_options.ts";
import { addOptions, inGroup, optionList, type Values } from "./option_spec.ts";
import { syntheticSeed } from "./values.ts";

/** The options of every subcommand that loads a model. */
const MODEL_OPTIONS = optionList(
  { flags: "--model <name>", help: `Model: ${MODEL_NAMES}`, group: "Model", default: "tiny" },
  {
    flags: "--weights <source>",
    help: "synthetic or synthetic:SEED: random weights of the model's size in place of a checkpoint",
    group: "Model",
    parse: syntheticSeed,
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
);

/** The storage type of weight matrices. */
const WEIGHTS_DTYPE = {
  flags: "--weights-dtype <type>",
  help: "Storage type of weight matrices on the GPU",
  group: "Model",
  choices: WEIGHT_DTYPES,
  default: DEFAULT_DTYPE,
} as const;

/** The storage types of K and V. */
const KV_DTYPE_OPTIONS = inGroup("K/V memory", {
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

/** Values of {@link addUntypedModelOptions}. */
export type UntypedModelOptions = DeviceOptions & Values<typeof MODEL_OPTIONS>;

/** Values of {@link addModelOptions}. */
export type ModelOptions = UntypedModelOptions & Values<readonly [typeof WEIGHTS_DTYPE]>;

/** Values of {@link addModelOptions} and {@link addKvDtypeOptions}. */
export interface PrecisionOptions extends ModelOptions {
  /** Storage types of K and V. */
  readonly kvDtype: KvDtype;
}

/** Adds the shared options to a subcommand. */
export function addModelOptions(command: Command): Command {
  return addOptions(addUntypedModelOptions(command), WEIGHTS_DTYPE);
}

/** Adds those but the storage type of weights, to a subcommand that chooses it itself. */
export function addUntypedModelOptions(command: Command): Command {
  return addOptions(addDeviceOptions(command), ...MODEL_OPTIONS);
}

/** Adds the storage types of K and V to a subcommand, whose `kvDtype` names both. */
export function addKvDtypeOptions(command: Command): Command {
  return addOptions(command, ...KV_DTYPE_OPTIONS).hook("preAction", (self) => {
    const { kvDtype, kDtype = kvDtype, vDtype = kvDtype } = self.opts<Record<string, string>>();
    self.setOptionValueWithSource(
      "kvDtype",
      kvDtypeOf(kDtype!, vDtype!),
      self.getOptionValueSource("kvDtype"),
    );
  });
}
