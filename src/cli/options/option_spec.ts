/**
 * Options as data: flags, help text, group, values and default of each option, for every subcommand that takes it.
 *
 * @module
 */
import { type Command, Option } from "./commander.ts";

/** Subjects of options, in the order of `--help-all`. */
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

export type Group = typeof GROUPS[number];

/** An option of a subcommand. */
export interface OptionSpec {
  /** Names and value, such as `--batch <n>`. */
  readonly flags: string;
  /** Help text, without values and default. */
  readonly help: string;
  readonly group: Group;
  /** Accepted values. Default: all that `parse` accepts. */
  readonly choices?: readonly string[];
  /** Turns text into a value. Default: the text itself. */
  // deno-lint-ignore no-explicit-any -- as in commander: each option has a type of its own
  readonly parse?: (text: string, before: any) => unknown;
  /** Value without the option. Default: none. */
  readonly default?: unknown;
  /** Default as help shows it, if its text differs from the value. */
  readonly defaultText?: string;
  /** True if the option must be given. Default: false. */
  readonly required?: boolean;
}

/** Returns options of one subject. */
export function inGroup(group: Group, ...specs: readonly Omit<OptionSpec, "group">[]): OptionSpec[] {
  return specs.map((spec) => ({ ...spec, group }));
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
