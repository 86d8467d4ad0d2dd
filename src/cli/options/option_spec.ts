/**
 * Options as data: flags, help text, group, values and default of each option, for every subcommand that takes it. The
 * types of their values follow from that.
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

/** Names an option's value as commander does: `-o, --num-beams <n>` is numBeams, `--no-accuracy` is accuracy. */
type NameOf<Flags> = Flags extends `${string}--no-${infer Name}` ? Camel<FirstWord<Name>>
  : Flags extends `${string}--${infer Name}` ? Camel<FirstWord<Name>>
  : never;
type FirstWord<Text extends string> = Text extends `${infer Word} ${string}` ? Word : Text;
type Camel<Text extends string> = Text extends `${infer Head}-${infer Rest}`
  ? `${Head}${Capitalize<Camel<Rest>>}`
  : Text;

/** The type of an option's value: what `parse` returns, one of the choices, a text, or true and false. */
type ValueOf<Spec> = Spec extends { parse: (text: string, before: never) => infer Value } ? Value
  : Spec extends { choices: readonly (infer Value)[] } ? Value
  : Spec extends { flags: `${string}<${string}` } ? string
  : boolean;
/** True for options that always have a value. */
type IsCertain<Spec> = Spec extends { default: unknown } | { required: true } ? true
  : Spec extends { flags: `${string}<${string}` } ? false
  : true;
type Only<Spec, Certain> = Spec extends unknown ? IsCertain<Spec> extends Certain ? Spec : never : never;

/** The values of options, as a subcommand gets them. Options whose flags are made at run time are left out. */
export type Values<Specs extends readonly Pick<OptionSpec, "flags">[]> =
  & { readonly [Spec in Only<Specs[number], true> as NameOf<Spec["flags"]>]: ValueOf<Spec> }
  & { readonly [Spec in Only<Specs[number], false> as NameOf<Spec["flags"]>]?: ValueOf<Spec> };

/** Returns a list of options of which the types know the names and values. */
export function optionList<const Specs extends readonly OptionSpec[]>(...specs: Specs): Specs {
  return specs;
}

/** Returns options of one subject. */
export function inGroup<const Specs extends readonly Omit<OptionSpec, "group">[]>(
  group: Group,
  ...specs: Specs
): Grouped<Specs> {
  return specs.map((spec) => ({ ...spec, group })) as unknown as Grouped<Specs>;
}
type Grouped<Specs> = { [Index in keyof Specs]: Omit<Specs[Index], "group"> & Pick<OptionSpec, "group"> };

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
