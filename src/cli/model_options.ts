/**
 * The options of every subcommand that loads a model: which one, how its numbers are stored on the GPU, and on what
 * device.
 *
 * @module
 */
import { type Command, Option } from "./commander.ts";
import { MODEL_NAMES } from "../hub/locate.ts";
import { type Dtype, DTYPES } from "../gpu/dtype.ts";
import { addDeviceOptions, type DeviceOptions } from "./device_options.ts";
import { syntheticSeed } from "./values.ts";

/** Values of {@link addModelOptions}. */
export interface ModelOptions extends DeviceOptions {
  /** Name or folder of the model. */
  readonly model: string;
  /** How weight matrices are stored on the GPU. */
  readonly weightsDtype: Dtype;
  /** Seed of made-up weights in place of a checkpoint's. */
  readonly weights?: number;
  /** Whether kernel variants are chosen by measurement; the defaults of the adapter's kind, otherwise. */
  readonly autotune: boolean;
  /** Whether a remembered choice is measured again. */
  readonly retune: boolean;
}

/** Values of {@link addModelOptions} and {@link addKvDtypeOption}. */
export interface PrecisionOptions extends ModelOptions {
  /** How K and V are stored. */
  readonly kvDtype: Dtype;
}

/** Adds the shared options to a subcommand. */
export function addModelOptions(command: Command): Command {
  return addDeviceOptions(command)
    .option("--model <name>", MODEL_NAMES, "tiny")
    .option(
      "--weights <source>",
      "synthetic[:seed]: made-up weights of the model's size, which needs no checkpoint",
      syntheticSeed,
    )
    .addOption(
      new Option("--weights-dtype <type>", "how weight matrices are stored on the GPU").choices(DTYPES)
        .default("f32"),
    )
    .option("--no-autotune", "take the default kernel variants, and measure none")
    .option("--retune", "measure the kernel variants again, whatever is remembered", false);
}

/** Adds the storage type of K and V to a subcommand. */
export function addKvDtypeOption(command: Command): Command {
  return command.addOption(
    new Option("--kv-dtype <type>", "how K and V are stored on the GPU").choices(DTYPES).default("f32"),
  );
}
