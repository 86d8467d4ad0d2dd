/** The options of subcommands that decode one prompt: which model, which strategy, which prompt. */
import type { Command } from "./commander.ts";
import { kvOptionSpecs, strategySpec } from "./kv_options.ts";
import { addKvDtypeOptions, addModelOptions, type PrecisionOptions } from "./model_options.ts";
import { addOptions, type Values } from "./option_spec.ts";
import { idList } from "./values.ts";

/** A prompt as ids. */
export const PROMPT_IDS = {
  flags: "--prompt-ids <ids>",
  help: "Token ids in place of text, such as 464,3290",
  group: "Prompt",
  parse: idList,
} as const;

/** The value of {@link addStrategyOptions} that every strategy shares. */
export type StrategyOption = Values<readonly [ReturnType<typeof strategySpec>]>;

/** Values of {@link addDecodeOptions}. */
export type DecodeOptions = PrecisionOptions & StrategyOption & Values<readonly [typeof PROMPT_IDS]>;

/** Adds the choice of a strategy and the strategies' options to a subcommand. */
export function addStrategyOptions(command: Command): Command {
  return addOptions(command, strategySpec(), ...kvOptionSpecs({ contextLengths: false }));
}

/** Adds the prompt argument and the shared options to a subcommand. */
export function addDecodeOptions(command: Command): Command {
  addStrategyOptions(addKvDtypeOptions(addModelOptions(command)));
  return addOptions(command, PROMPT_IDS).argument("[prompt]", "Text. Default: what is read from stdin");
}
