/**
 * The strategies and their options on the command line, as the registry declares them. A strategy that is registered
 * needs nothing here.
 */
import {
  plainStrategy,
  sharingStrategy,
  strategies,
  strategyNames,
  strategyOptions,
} from "../../kv/registry.ts";
import type { DefaultComparison, KvOption, KvOptions, KvValue } from "../../kv/strategy_def.ts";
import type { OptionSpec } from "./option_spec.ts";
import { MOST_TOKENS, nameList, wholeNumber, wholeNumbers } from "./values.ts";

const group = "K/V memory";

/** Returns the choice of one strategy. Default: the plain cache. */
export function strategySpec() {
  const choices = strategyNames(), { name } = plainStrategy();
  return { flags: "--strategy <name>", help: "Decode strategy", group, choices, default: name } as const;
}

/** Returns the choice of the strategy that requests are served with. Default: one that shares blocks. */
export function policySpec() {
  return {
    flags: "--policy <name>",
    help: "Memory policy for K and V",
    group: "Scheduler",
    choices: namesFor("serving"),
    default: sharingStrategy().name,
  } as const;
}

/** Returns the choice of several strategies. Default: those that the comparison shows. */
export function strategiesSpec<const Spec extends Pick<OptionSpec, "flags" | "help" | "group">>(
  comparison: DefaultComparison,
  spec: Spec,
) {
  const names = namesFor(comparison), shown = strategyNames(comparison);
  return {
    ...spec,
    help: `${spec.help}, from ${names.join(", ")}`,
    parse: nameList(names),
    default: shown,
    defaultText: shown.join(","),
  };
}

/** Returns the strategies that a comparison can show; requests are served by those that can be scheduled. */
function namesFor(comparison: DefaultComparison): string[] {
  const able = strategies().filter(({ traits }) => comparison !== "serving" || !traits.together);
  return able.map(({ name }) => name);
}

/** Returns the options of all strategies, those that benchmarks alone have among them or not. */
export function kvOptionSpecs({ contextLengths }: { readonly contextLengths: boolean }): OptionSpec[] {
  return [...strategyOptions().values()].filter(({ isContextLength = false }) =>
    contextLengths || !isContextLength
  )
    .map((option): OptionSpec => ({
      flags: `--${option.flag} <${option.placeholder}>`,
      help: option.help,
      group,
      ...("min" in option.values
        ? { parse: wholeNumber(option.values.min, Math.min(option.values.max, MOST_TOKENS)) }
        : { choices: option.values }),
      ...(option.default !== null && { default: option.default }),
      ...(option.defaultText !== undefined && { defaultText: option.defaultText }),
    }));
}

/** Returns the name of an option among a command's values, as commander has it. */
export function attributeOf({ flag }: KvOption): string {
  return flag.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

/** Returns the options of strategies from a command's values; null where an option is not given and has no default. */
export function kvOptionsOf(values: object): KvOptions {
  const given = values as Readonly<Record<string, KvValue | undefined>>;
  return Object.fromEntries(
    [...strategyOptions()].map(([key, option]) => [key, given[attributeOf(option)] ?? null]),
  );
}

/**
 * Returns the values of an option in a list.
 *
 * @throws {InvalidArgumentError} If one is not valid.
 */
export function kvValuesIn({ values }: KvOption, text: string): (string | number)[] {
  return "min" in values
    ? wholeNumbers(values.min, Math.min(values.max, MOST_TOKENS))(text)
    : nameList(values)(text);
}
