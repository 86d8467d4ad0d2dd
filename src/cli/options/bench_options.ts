/** `bench`'s options: what is measured, for how long, and where the result goes. */
import { MOST_SECONDS, MOST_TOKENS, share, wholeNumber } from "./values.ts";
import type { Command } from "./commander.ts";
import { UsageError } from "../../base/errors.ts";
import { FORMATS } from "../../report/formats.ts";
import { strategyOptions } from "../../kv/registry.ts";
import { COMPARE_OPTIONS, type CompareOptions } from "./compare_options.ts";
import { PROMPT_IDS } from "./decode_options.ts";
import { DEFAULT_FOLDER } from "./destination.ts";
import { describeHelp } from "./help.ts";
import { attributeOf, kvOptionSpecs, strategiesSpec } from "./kv_options.ts";
import { JSON_FILE, LANG, WIDE } from "./json_output.ts";
import { addKvDtypeOptions, addModelOptions, type PrecisionOptions } from "./model_options.ts";
import { addOptions, inGroup, optionList, type Values } from "./option_spec.ts";
import { shardOption, sweepOption, swept } from "./sweep.ts";

/** The prompt of a measurement: a text, ids, or random ids. */
export const PROMPTS = optionList(
  {
    flags: "--prompt <text>",
    help: "Text to continue",
    group: "Prompt",
    defaultText: '"The attention mechanism in deep learning is", in Chinese',
  },
  PROMPT_IDS,
  {
    flags: "--prompt-tokens <n>",
    help: "Length of a random prompt in place of a text",
    group: "Prompt",
    parse: wholeNumber(1, MOST_TOKENS),
  },
);

/** The seed of a measurement, its precision, and the folder for its result and what is made of it. */
export const [SEED, TARGET_CI, OUT] = optionList(
  {
    flags: "--seed <n>",
    help: "Seed of the order of runs and of a random prompt",
    group: "Workload",
    parse: wholeNumber(0, 2 ** 32 - 1),
    default: 0,
  },
  {
    flags: "--target-ci <share>",
    help: "Precision at which runs end: half of the 95 % interval of the median total, as a share of it",
    group: "Measuring",
    parse: share(0.001, 1),
    default: 0.025,
    defaultText: "2.5%",
  },
  {
    flags: "--out <folder>",
    help: "Folder for result, page and chart",
    group: "Output",
    defaultText: DEFAULT_FOLDER,
  },
);

/** Names of ready-made measurements. */
export const PRESETS = ["ladder"] as const;

const benchOptions = () =>
  optionList(
    {
      flags: "--preset <name>",
      help:
        "Ready-made measurement in place of a comparison: ladder is that of the command ladder, with its options",
      group: "Workload",
      choices: PRESETS,
    },
    strategiesSpec("bench", {
      flags: "--strategies <names>",
      help: "Decode strategies to compare",
      group: "K/V memory",
    }),
    ...kvOptionSpecs({ contextLengths: true }),
    ...PROMPTS,
    ...inGroup(
      "Workload",
      {
        flags: "--new-tokens <n>",
        help: "Tokens to generate, greedily",
        parse: wholeNumber(1, MOST_TOKENS),
        default: 50,
      },
      { flags: "--batch <n>", help: "Sequences to decode together", parse: wholeNumber(1, 1024), default: 1 },
      {
        flags: "--sweep <name=values>",
        help: `Several values of a setting, such as batch=1,2,4 (repeatable: ${swept().join(", ")})`,
        parse: sweepOption,
      },
      {
        flags: "--shard <i/n>",
        help: "Part of the sweep to measure, such as 2/8: report joins the results of all parts",
        parse: shardOption,
      },
    ),
    SEED,
    ...inGroup(
      "Measuring",
      {
        flags: "--warmup <n>",
        help: "Warm-up runs of each strategy",
        parse: wholeNumber(0, 1000),
        defaultText: "until times are steady",
      },
      {
        flags: "--runs <n>",
        help: "Measured runs of each strategy",
        parse: wholeNumber(1, 1000),
        defaultText: "until --target-ci or --max-seconds is reached",
      },
    ),
    TARGET_CI,
    ...inGroup(
      "Measuring",
      {
        flags: "--max-seconds <n>",
        help: "Most seconds of measured runs for one setting",
        parse: wholeNumber(1, MOST_SECONDS),
        default: 30,
      },
      { flags: "--no-accuracy", help: "Do not compare f16 and int8 with float32 first" },
      { flags: "--no-serving", help: "Do not simulate how many sequences run at once in the same memory" },
    ),
    OUT,
    JSON_FILE,
    { flags: "--format <form>", help: "Printed form", group: "Output", choices: FORMATS, default: "table" },
    WIDE,
    LANG,
    { flags: "--baseline <file>", help: "Earlier result to compare with", group: "Comparison" },
    {
      flags: "--resume <file>",
      help: "Interrupted result to complete; no other option is allowed with it",
      group: "Output",
    },
  );

/** Values of {@link addBenchOptions}. */
export type BenchOptions = PrecisionOptions & CompareOptions & Values<ReturnType<typeof benchOptions>>;

/** Adds all options of `bench` to it. */
export function addBenchOptions(command: Command): Command {
  addOptions(addKvDtypeOptions(addModelOptions(command)), ...COMPARE_OPTIONS, ...benchOptions());
  return describeHelp(command, {
    everyday: "model strategies prompt-tokens new-tokens batch weights-dtype kv-dtype sweep json baseline",
    examples: [
      ["Compare the strategies on the embedded model", "bench"],
      [
        "See how time per token grows with the prompt",
        "bench --sweep prompt-tokens=32,128,512 --new-tokens 16",
      ],
      [
        "Time GPT-2's full size without its checkpoint, in int8",
        "bench --model gpt2 --weights synthetic --weights-dtype int8",
      ],
    ],
  });
}

/** Names of options among a command's values, by the settings whose sweep takes their place. */
const optionsBySetting = (): Readonly<Record<string, readonly string[]>> => ({
  prompt_tokens: ["promptTokens"],
  new_tokens: ["newTokens"],
  batch: ["batch"],
  kv_dtype: ["kvDtype", "kDtype", "vDtype"],
  k_dtype: ["kDtype"],
  v_dtype: ["vDtype"],
  ...Object.fromEntries([...strategyOptions()].map(([key, option]) => [key, [attributeOf(option)]])),
});

/**
 * Refuses an option whose setting is also swept.
 *
 * @throws {UsageError} Naming it.
 */
export function refuseTwice(command: Command, { sweep = {} }: BenchOptions): void {
  for (const [key, options] of Object.entries(optionsBySetting())) {
    if (!Object.hasOwn(sweep, key)) continue;
    const given = options.find((option) => command.getOptionValueSource(option) === "cli");
    if (given === undefined) continue;
    const { long } = command.options.find((each) => each.attributeName() === given)!;
    throw new UsageError(`${long} is given and swept: expected one of them`);
  }
  if ("kv_dtype" in sweep && ("k_dtype" in sweep || "v_dtype" in sweep)) {
    throw new UsageError("kv-dtype is swept, and K's or V's type as well: expected one of them");
  }
}
