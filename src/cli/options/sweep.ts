/** `--sweep NAME=VALUES`: which settings can be swept, and their values as text. */
import { InvalidArgumentError } from "./commander.ts";
import { KV_DTYPES } from "../../formats/registry.ts";
import { strategyOptions } from "../../kv/registry.ts";
import type { Plan } from "../../measure/run/plan.ts";
import { kvValuesIn } from "./kv_options.ts";
import { kvDtypeList, MOST_TOKENS, nameList, wholeNumbers } from "./values.ts";

/** Values of the settings that are swept. */
type Sweep = { readonly [key: string]: Plan["grid"][string] };

/** The settings of the work, by the names of their options. */
const WORK: Readonly<Record<string, (text: string) => Sweep>> = {
  "prompt-tokens": (text) => ({ prompt_tokens: wholeNumbers(1, MOST_TOKENS)(text) }),
  "new-tokens": (text) => ({ new_tokens: wholeNumbers(1, MOST_TOKENS)(text) }),
  "batch": (text) => ({ batch: wholeNumbers(1, 1024)(text) }),
  "kv-dtype": (text) => ({ kv_dtype: kvDtypeList(text) }),
  "k-dtype": (text) => ({ k_dtype: nameList(KV_DTYPES)(text) }),
  "v-dtype": (text) => ({ v_dtype: nameList(KV_DTYPES)(text) }),
};

/** Returns the parsers of all settings by their names: those of the work, and those of the strategies' options. */
function parsers(): Readonly<Record<string, (text: string) => Sweep>> {
  const options = [...strategyOptions()].map(([key, option]) =>
    [option.flag, (text: string) => ({ [key]: kvValuesIn(option, text) })] as const
  );
  return { ...WORK, ...Object.fromEntries(options) };
}

/** Returns the names of the settings that can be swept. */
export function swept(): string[] {
  return Object.keys(parsers());
}

/** Takes one `--sweep` after another. */
export function sweepOption(text: string, before: Sweep = {}): Sweep {
  const [name = "", values, ...rest] = text.split("=");
  const all = parsers(), names = Object.keys(all);
  const parse = Object.hasOwn(all, name) ? all[name] : undefined;
  if (parse === undefined || values === undefined || rest.length > 0) {
    throw new InvalidArgumentError(
      `Expected NAME=VALUES such as batch=1,2,4, where NAME is ${names.slice(0, -1).join(", ")} or ${
        names.at(-1)
      }`,
    );
  }
  const sweep = parse(values), [key] = Object.keys(sweep);
  if (Object.hasOwn(before, key!)) throw new InvalidArgumentError(`${name} is swept twice`);
  return { ...before, ...sweep };
}

/** Most parts of a sweep. */
const MOST_SHARDS = 10_000;

/** Reads the part of a sweep, such as `2/8`. */
export function shardOption(text: string): { readonly index: number; readonly of: number } {
  const [index = 0, of = 0] = (/^(\d{1,5})\/(\d{1,5})$/.exec(text) ?? []).slice(1).map(Number);
  if (index >= 1 && index <= of && of <= MOST_SHARDS) return { index, of };
  throw new InvalidArgumentError(`Expected I/N with I from 1 to N and N at most ${MOST_SHARDS}, such as 2/8`);
}
