/**
 * `--sweep NAME=VALUES`: which settings can be swept, and their values as text.
 *
 * @module
 */
import { InvalidArgumentError } from "./commander.ts";
import { KV_DTYPES } from "../../formats/registry.ts";
import { GROWTHS } from "../../kv/strategy.ts";
import type { Plan } from "../../measure/run/plan.ts";
import { MOST_TOKENS, nameList, wholeNumbers } from "./values.ts";

/** Values of the settings that are swept. */
export type Sweep = Partial<Plan["grid"]>;

/** The settings, by the names of their options. */
const PARSERS: Readonly<Record<string, (text: string) => Sweep>> = {
  "prompt-tokens": (text) => ({ prompt_tokens: wholeNumbers(1, MOST_TOKENS)(text) }),
  "new-tokens": (text) => ({ new_tokens: wholeNumbers(1, MOST_TOKENS)(text) }),
  "batch": (text) => ({ batch: wholeNumbers(1, 1024)(text) }),
  "kv-dtype": (text) => ({ kv_dtype: nameList(KV_DTYPES)(text) }),
  "block-size": (text) => ({ block_size: wholeNumbers(1, 256)(text) }),
  "growth": (text) => ({ growth: nameList(GROWTHS)(text) }),
  "kv-capacity": (text) => ({ kv_capacity_tokens: wholeNumbers(1, MOST_TOKENS)(text) }),
};

/** Names of the settings that can be swept. */
export const SWEPT: readonly string[] = Object.keys(PARSERS);

/** Takes one `--sweep` after another. */
export function sweepOption(text: string, before: Sweep = {}): Sweep {
  const [name = "", values, ...rest] = text.split("=");
  const parse = Object.hasOwn(PARSERS, name) ? PARSERS[name] : undefined;
  if (parse === undefined || values === undefined || rest.length > 0) {
    throw new InvalidArgumentError(
      `Expected NAME=VALUES such as batch=1,2,4, where NAME is ${SWEPT.slice(0, -1).join(", ")} or ${
        SWEPT.at(-1)
      }`,
    );
  }
  const swept = parse(values);
  const [key] = Object.keys(swept);
  if (Object.hasOwn(before, key!)) throw new InvalidArgumentError(`${name} is swept twice`);
  return { ...before, ...swept };
}
