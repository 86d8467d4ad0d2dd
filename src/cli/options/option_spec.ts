/**
 * Options as data: flags, help text, group, values and default of each stand in one place, and every subcommand that
 * takes the option takes it from there.
 *
 * @module
 */
import { type Command, Option } from "./commander.ts";

/** The subjects that `--help-all` sorts options by, in its order. */
export const GROUPS = [
  "Command",
  "Model",
  "Prompt",
  "Workload",
  "Sampling",
  "Beam search",
  "K/V memory",
  "Scheduler",
  "Simulation",
  "Server",
  "Measuring",
  "Comparison",
  "Output",
  "WebGPU and kernels",
] as const;

/** A subject of options. */
export type Group = typeof GROUPS[number];

/** One option. */
export interface OptionSpec {
  /** Names and value, such as `--batch <n>`. */
  readonly flags: string;
  /** Help text, without values and default. */
  readonly help: string;
  /** Its subject. */
  readonly group: Group;
  /** Values that it takes, where they are few. */
  readonly choices?: readonly string[];
  /** Turns text into a value. Default: the text itself. */
  // deno-lint-ignore no-explicit-any -- as in commander: each option has a type of its own
  readonly parse?: (text: string, before: any) => unknown;
  /** The value without the option. Default: none. */
  readonly default?: unknown;
  /** The default as help says it, where its text differs from the value. */
  readonly defaultText?: string;
  /** True if the option must be given. Default: false. */
  readonly required?: boolean;
}

/** Adds options to a subcommand, in order. */
export function addOptions(command: Command, ...specs: readonly OptionSpec[]): Command {
  for (const spec of specs) command.addOption(optionOf(spec));
  return command;
}

function optionOf(spec: OptionSpec): Option {
  const option = new Option(spec.flags, spec.help)
    .default(spec.default, spec.defaultText)
    .helpGroup(spec.group)
    .makeOptionMandatory(spec.required ?? false);
  if (spec.choices) option.choices(spec.choices);
  else if (spec.parse) option.argParser(spec.parse);
  return option;
}
