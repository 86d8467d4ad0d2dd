/**
 * The options of subcommands that decode one prompt: which model, which strategy, which prompt.
 *
 * @module
 */
import type { Command } from "./commander.ts";
import { type Growth, GROWTHS, STRATEGY_NAMES, type StrategyName } from "../../kv/strategy.ts";
import { addKvDtypeOption, addModelOptions, type PrecisionOptions } from "./model_options.ts";
import { addOptions, type OptionSpec } from "./option_spec.ts";
import { idList, wholeNumber } from "./values.ts";

/** Values of {@link addDecodeOptions}. */
export interface DecodeOptions extends PrecisionOptions {
  /** Decode strategy. */
  readonly strategy: StrategyName;
  /** Tokens per KV block of `paged`. */
  readonly blockSize: number;
  /** Memory of `kv-cache`. */
  readonly growth: Growth;
  /** The prompt, where it isn't text. */
  readonly promptIds?: number[];
}

/** The strategy. */
export const STRATEGY: OptionSpec = {
  flags: "--strategy <name>",
  help: "Decode strategy",
  group: "K/V memory",
  choices: STRATEGY_NAMES,
  default: "kv-cache",
};

/** The size of a KV block. */
export const BLOCK_SIZE: OptionSpec = {
  flags: "--block-size <tokens>",
  help: "Tokens per KV block of paged, 1 to 256",
  group: "K/V memory",
  parse: wholeNumber(1, 256),
  default: 16,
};

/** The way in which `kv-cache` takes memory. */
export const GROWTH: OptionSpec = {
  flags: "--growth <type>",
  help: "Memory of kv-cache, reserved up front or grown by copy",
  group: "K/V memory",
  choices: GROWTHS,
  default: "static",
};

/** A prompt as ids. */
export const PROMPT_IDS: OptionSpec = {
  flags: "--prompt-ids <ids>",
  help: "Token ids in place of text, such as 464,3290",
  group: "Prompt",
  parse: idList,
};

/** Adds the choice of a strategy to a subcommand. */
export function addStrategyOptions(command: Command): Command {
  return addOptions(command, STRATEGY, BLOCK_SIZE);
}

/** Adds the prompt argument and the shared options to a subcommand. */
export function addDecodeOptions(command: Command): Command {
  addStrategyOptions(addKvDtypeOption(addModelOptions(command)));
  return addOptions(command, GROWTH, PROMPT_IDS)
    .argument("[prompt]", "Text. Default: what is read from stdin");
}
