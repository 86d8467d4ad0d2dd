/** The options of `quality`: which cells are scored, on which parts of the text. */
import { UsageError } from "../../base/errors.ts";
import type { Gpt2Config } from "../../checkpoint/config.ts";
import { holdsHead } from "../../formats/kv_dtype.ts";
import { KV_DTYPES } from "../../formats/registry.ts";
import { plainStrategy, strategies } from "../../kv/registry.ts";
import { WORK_SETTINGS } from "../../measure/record/cell.ts";
import { type CellPlan, groupsOf } from "../../measure/run/grid.ts";
import { kvGrid } from "../commands/bench/bench_plan.ts";
import type { Command } from "./commander.ts";
import { JSON_FILE } from "./json_output.ts";
import { kvOptionSpecs, strategiesSpec } from "./kv_options.ts";
import { addModelOptions, type ModelOptions } from "./model_options.ts";
import { addOptions, inGroup, optionList, type Values } from "./option_spec.ts";
import { sweepOption } from "./sweep.ts";
import { kvDtypeList, MOST_TOKENS, wholeNumber, wholeNumbers } from "./values.ts";

/** Default tokens of a part, as of llama.cpp's. */
const DEFAULT_CONTEXT = 512;

const qualityOptions = () => {
  const shown = strategies().filter((strategy) => strategy === plainStrategy() || !strategy.traits.exact)
    .map(({ name }) => name);
  return optionList(
    {
      ...strategiesSpec("bench", {
        flags: "--strategies <names>",
        help: "Strategies to score",
        group: "K/V memory",
      }),
      default: shown,
      defaultText: shown.join(","),
    },
    {
      flags: "--kv-dtypes <types>",
      help: `Storage types of K and V to score, from ${KV_DTYPES.join(", ")}, or K's/V's`,
      group: "K/V memory",
      parse: kvDtypeList,
      defaultText: "all that can store the model's heads",
    },
    ...kvOptionSpecs({ contextLengths: false }),
    ...inGroup(
      "Prompt",
      { flags: "--ids", help: "The file holds token ids with commas between them", default: false },
    ),
    ...inGroup(
      "Workload",
      {
        flags: "--context <n>",
        help: "Tokens of a part of the text; each part begins anew",
        parse: wholeNumber(2, MOST_TOKENS),
        defaultText: `${DEFAULT_CONTEXT}, or the model's context`,
      },
      {
        flags: "--prompt-tokens <n>",
        help: "Tokens of a part that are computed at once and not scored",
        parse: wholeNumber(1, MOST_TOKENS),
        defaultText: "half of the part and one more, as in llama.cpp",
      },
      {
        flags: "--parts <n>",
        help: "Most parts to score",
        parse: wholeNumber(1, MOST_TOKENS),
        defaultText: "the whole text",
      },
      {
        flags: "--sweep <name=values>",
        help: "Several values of an option of a strategy (repeatable)",
        parse: sweepOption,
      },
      {
        flags: "--retrieval <distances>",
        help: "Also repeat random sequences of these lengths, such as 16,64,256, and count what is recalled",
        parse: wholeNumbers(2, MOST_TOKENS),
      },
      {
        flags: "--seed <n>",
        help: "Seed of the random sequences",
        parse: wholeNumber(0, 2 ** 31 - 1),
        default: 0,
      },
    ),
    JSON_FILE,
  );
};

/** Values of {@linkcode addQualityOptions}. */
export type QualityOptions = ModelOptions & Values<ReturnType<typeof qualityOptions>>;

/** Adds all options of `quality` to it. */
export function addQualityOptions(command: Command): Command {
  return addOptions(addModelOptions(command), ...qualityOptions());
}

/**
 * Returns the tokens of a part.
 *
 * @throws {UsageError} If it exceeds the model's context.
 */
export function contextOf({ context }: QualityOptions, { nCtx }: Pick<Gpt2Config, "nCtx">): number {
  if (context === undefined) return Math.min(DEFAULT_CONTEXT, nCtx);
  if (context <= nCtx) return context;
  throw new UsageError(`--context is ${context}: the model's context is ${nCtx} tokens`);
}

/**
 * Returns the cells that the options name.
 *
 * @throws {UsageError} If a sweep is of something else than options of strategies.
 */
export function cellsOf(
  options: QualityOptions,
  config: Gpt2Config,
  { promptTokens, newTokens }: { readonly promptTokens: number; readonly newTokens: number },
): CellPlan[] {
  const { sweep = {}, strategies, kvDtypes } = options;
  const other = WORK_SETTINGS.find((key) => Object.hasOwn(sweep, key));
  if (other !== undefined) {
    throw new UsageError(`${other.replaceAll("_", "-")} is swept: expected an option of a strategy`);
  }
  const grid = {
    prompt_tokens: [promptTokens],
    new_tokens: [newTokens],
    batch: [1],
    kv_dtype: kvDtypes ?? KV_DTYPES.filter((dtype) => holdsHead(dtype, config.headDim)),
    ...kvGrid(options, config),
    ...sweep,
  };
  return groupsOf({ strategies, grid }).flat();
}
