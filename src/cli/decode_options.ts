/**
 * The options of subcommands that decode one prompt: which model, which strategy, which prompt.
 *
 * @module
 */
import { type Command, Option } from "./commander.ts";
import { type Growth, GROWTHS, STRATEGY_NAMES, type StrategyName } from "../kv/shape.ts";
import { addKvDtypeOption, addModelOptions, type PrecisionOptions } from "./model_options.ts";
import { idList, wholeNumber } from "./values.ts";

/** Values of {@link addDecodeOptions}. */
export interface DecodeOptions extends PrecisionOptions {
  /** Where K and V are kept. */
  readonly strategy: StrategyName;
  /** Tokens per KV block of `paged`. */
  readonly blockSize: number;
  /** Memory of `kv-cache`. */
  readonly growth: Growth;
  /** The prompt, where it isn't text. */
  readonly promptIds?: number[];
}

/** Adds the choice of a strategy to a subcommand. */
export function addStrategyOptions(command: Command): Command {
  return command
    .addOption(new Option("--strategy <name>", "decode strategy").choices(STRATEGY_NAMES).default("kv-cache"))
    .option("--block-size <tokens>", "tokens per KV block of paged, 1 to 256", wholeNumber(1, 256), 16);
}

/** Adds the prompt argument and the shared options to a subcommand. */
export function addDecodeOptions(command: Command): Command {
  return addStrategyOptions(addKvDtypeOption(addModelOptions(command)))
    .argument("[prompt]", "text; without it and --prompt-ids, stdin is read")
    .addOption(new Option("--growth <how>", "memory of kv-cache").choices(GROWTHS).default("static"))
    .option("--prompt-ids <ids>", "token ids in place of text, such as 464,3290", idList);
}
