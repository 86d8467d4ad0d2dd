/**
 * `bench`'s options: what is measured, for how long, and where the result goes.
 *
 * @module
 */
import { type Command, Option } from "./commander.ts";
import { UsageError } from "../errors.ts";
import { GROWTHS, STRATEGY_NAMES } from "../kv/strategy.ts";
import { type Format, FORMATS } from "../report/formats.ts";
import type { AccuracyOptions } from "./bench_accuracy.ts";
import { DEFAULT_PROMPT, type PlanOptions } from "./bench_plan.ts";
import { addCompareOptions, type CompareOptions } from "./compare.ts";
import { DEFAULT_FOLDER } from "./destination.ts";
import { addKvDtypeOption, addModelOptions } from "./model_options.ts";
import { sweepOption, SWEPT } from "./sweep.ts";
import { idList, MOST_SECONDS, MOST_TOKENS, nameList, share, wholeNumber } from "./values.ts";

/** Values of {@link addBenchOptions}. */
export interface BenchOptions extends PlanOptions, AccuracyOptions, CompareOptions {
  /** A result to compare with. */
  readonly baseline?: string;
  /** What is printed. */
  readonly format: Format;
  /** A folder for the result and what is made of it. */
  readonly out?: string;
  /** The result file; with `-`, stdout. */
  readonly json?: string;
  /** An interrupted result. */
  readonly resume?: string;
}

/** Adds all options of `bench` to it. */
export function addBenchOptions(command: Command): Command {
  return addCompareOptions(addKvDtypeOption(addModelOptions(command)))
    .option("--prompt <text>", `text to continue (default: "${DEFAULT_PROMPT}")`)
    .option("--prompt-ids <ids>", "token ids in place of text, such as 464,3290", idList)
    .option("--prompt-tokens <n>", "a made-up prompt of n ids, from the seed", wholeNumber(1, MOST_TOKENS))
    .option("--new-tokens <n>", "tokens to generate, greedily", wholeNumber(1, MOST_TOKENS), 50)
    .option("--batch <n>", "sequences to decode together", wholeNumber(1, 1024), 1)
    .option("--strategies <names>", "which, with commas", nameList(STRATEGY_NAMES), [...STRATEGY_NAMES])
    .option("--block-size <tokens>", "tokens per KV block of paged, 1 to 256", wholeNumber(1, 256), 16)
    .addOption(new Option("--growth <how>", "memory of kv-cache").choices(GROWTHS).default("static"))
    .option(
      "--kv-capacity <tokens>",
      "tokens that a static kv-cache reserves and the block pool holds, per sequence (default: the model's context)",
      wholeNumber(1, MOST_TOKENS),
    )
    .option(
      "--sweep <name=values>",
      `several values of a setting, as batch=1,2,4; may be given several times (${SWEPT.join(", ")})`,
      sweepOption,
    )
    .option(
      "--warmup <n>",
      "runs of each before the measured ones (default: until steady)",
      wholeNumber(0, 1000),
    )
    .option("--runs <n>", "measured runs of each (default: until precise)", wholeNumber(1, 1000))
    .option(
      "--target-ci <share>",
      "precise: half of the interval of the median total, as a share of it",
      share(0.001, 1),
      0.025,
    )
    .option(
      "--max-seconds <n>",
      "time for the measured runs of one setting",
      wholeNumber(1, MOST_SECONDS),
      30,
    )
    .option("--seed <n>", "of the order of runs and of a made-up prompt", wholeNumber(0, 2 ** 32 - 1), 0)
    .option("--no-accuracy", "do not compare weights, K and V that are narrower than float32 with float32")
    .option("--out <folder>", `folder for the result and the chart (default: "${DEFAULT_FOLDER}")`)
    .option("--json <file>", "write the result there; with -, print it and nothing else")
    .addOption(new Option("--format <form>", "what to print").choices(FORMATS).default("table"))
    .option("--baseline <file>", "an earlier result to compare with")
    .option("--resume <file>", "go on with a result that was interrupted; takes no other option");
}

/** Options that a sweep of the same name takes the place of. */
const SWEPT_OPTIONS: Readonly<Record<string, string>> = {
  promptTokens: "prompt_tokens",
  newTokens: "new_tokens",
  batch: "batch",
  kvDtype: "kv_dtype",
  blockSize: "block_size",
  growth: "growth",
  kvCapacity: "kv_capacity_tokens",
};

/**
 * Refuses an option whose setting is also swept.
 *
 * @throws {UsageError} Naming it.
 */
export function refuseTwice(command: Command, { sweep = {} }: BenchOptions): void {
  for (const [option, key] of Object.entries(SWEPT_OPTIONS)) {
    if (!Object.hasOwn(sweep, key) || command.getOptionValueSource(option) !== "cli") continue;
    const { long } = command.options.find((each) => each.attributeName() === option)!;
    throw new UsageError(`${long} is given and swept: wanted one of them`);
  }
}
