/** The options that describe a serving simulation, and the plan that they come to. */
import { MOST_SECONDS, MOST_TOKENS, positive, wholeNumber } from "./values.ts";
import type { Command } from "./commander.ts";
import { KvbenchError, UsageError } from "../../base/errors.ts";
import { decodeUtf8 } from "../../base/utf8.ts";
import { parseLengths } from "../../simulate/length_file.ts";
import { DATA_SETS, type DataSet, FITTED_CONTEXT, type LengthSource } from "../../simulate/lengths.ts";
import type { ModelShape } from "../../simulate/model_shape.ts";
import type { ServingPlan } from "../../simulate/plan.ts";
import {
  addMemoryOptions,
  DRY_LIMITS,
  GPU_LIMITS,
  type MemoryOptions,
  memoryPlanOf,
} from "./memory_options.ts";
import { strategyNamed } from "../../kv/registry.ts";
import { checkForks } from "../../kv/strategy_def.ts";
import { strategiesSpec } from "./kv_options.ts";
import { addOptions, inGroup, optionList, type Values } from "./option_spec.ts";

const DEFAULT_REQUESTS = 200;

/** The lengths of prompts and answers. */
export const LENGTHS = {
  flags: "--lengths <source>",
  help: `Lengths of prompts and answers: ${DATA_SETS.join(", ")}, or a CSV file`,
  group: "Workload",
} as const;

/** The rate of arrivals. */
export const RATE = {
  flags: "--rate <n>",
  help: "Requests per second, as a Poisson process",
  group: "Workload",
  parse: positive(1e6),
  defaultText: "all at once",
} as const;

/** The length of a shared prefix. */
export const PREFIX_TOKENS = {
  flags: "--prefix-tokens <n>",
  help: "Tokens of a prefix that requests share",
  group: "Workload",
  parse: wholeNumber(0, MOST_TOKENS),
  default: 0,
} as const;

/** The continuations of a prompt. */
export const NUM_RETURN_SEQUENCES = {
  flags: "--num-return-sequences <n>",
  help: "Continuations of each prompt",
  group: "Workload",
  parse: wholeNumber(1, 256),
  default: 1,
} as const;

/** The seed of a workload. */
export const WORKLOAD_SEED = {
  flags: "--seed <n>",
  help: "Seed of lengths, arrivals and prompts",
  group: "Workload",
  parse: wholeNumber(0, 2 ** 31 - 1),
  default: 0,
} as const;

/** The bounds of a request that counts as good. */
export const GOODPUT_LIMITS = [goodputLimit("ttft"), goodputLimit("tpot")] as const;

/** The bound of a latency. */
export function goodputLimit<const Metric extends string>(metric: Metric) {
  return {
    flags: `--${metric}-limit <ms>`,
    help: `Longest ${metric.toUpperCase()} of a request that counts towards goodput`,
    group: "Measuring",
    parse: positive(1000 * MOST_SECONDS),
  } as const;
}

const servingOptions = () =>
  optionList(
    strategiesSpec("serving", {
      flags: "--policies <names>",
      help: "Memory policies to compare",
      group: "Scheduler",
    }),
    { ...LENGTHS, default: "sharegpt" },
    ...inGroup(
      "Workload",
      {
        flags: "--length-scale <x>",
        help: "Factor on lengths that are drawn",
        parse: positive(1000),
        defaultText: `the model's context / ${FITTED_CONTEXT}, the context that the distributions are from`,
      },
      {
        flags: "--requests <n>",
        help: "Number of requests",
        parse: wholeNumber(1, 1e8),
        defaultText: `those of the CSV file, else ${DEFAULT_REQUESTS}`,
      },
    ),
    RATE,
    NUM_RETURN_SEQUENCES,
    PREFIX_TOKENS,
    {
      flags: "--prefix-groups <n>",
      help: "Number of different prefixes",
      group: "Workload",
      parse: wholeNumber(1, 1_000_000),
      default: 1,
    },
    ...GOODPUT_LIMITS,
    WORKLOAD_SEED,
    {
      flags: "--verify",
      help: "Check every invariant of the memory at every step",
      group: "Simulation",
      default: false,
    },
  );

/** Values of {@link addServingOptions}. */
export type ServingOptions = MemoryOptions & Values<ReturnType<typeof servingOptions>>;

/** Adds the options to a subcommand. */
export function addServingOptions(command: Command): Command {
  return addOptions(addMemoryOptions(command, { dryRuns: true }), ...servingOptions());
}

/**
 * Reads lengths where they are in a file.
 *
 * @throws {KvbenchError} If it can't be read, or a line is wrong.
 */
export async function lengthSource({ lengths }: Pick<ServingOptions, "lengths">): Promise<LengthSource> {
  if (DATA_SETS.includes(lengths as DataSet)) return { dataSet: lengths as DataSet };
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(lengths);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new KvbenchError(
      `Cannot read ${lengths}: ${(error as Error).message.split(":")[0]}; expected ${
        DATA_SETS.join(", ")
      }, or a CSV file`,
    );
  }
  const text = decodeUtf8(bytes, lengths), recorded = parseLengths(text, lengths);
  if (!text.endsWith("\n")) {
    console.error(`Caution: the last line of ${lengths} has no end: if the file was cut, it may be wrong`);
  }
  return { file: lengths, recorded };
}

/**
 * Makes the plan for a model.
 *
 * @throws {UsageError} If options contradict each other or the model.
 */
export function servingPlanOf(
  options: ServingOptions,
  shape: ModelShape,
  { lengths, dryRun }: { readonly lengths: LengthSource; readonly dryRun: boolean },
): ServingPlan {
  const { rate, ttftLimit, tpotLimit, prefixTokens, prefixGroups, lengthScale } = options;
  if ((ttftLimit === undefined) !== (tpotLimit === undefined)) {
    throw new UsageError("One limit is given: expected both --ttft-limit and --tpot-limit");
  }
  if (prefixTokens >= shape.nCtx - 1) {
    throw new UsageError(
      `A shared beginning of ${prefixTokens} tokens leaves no room in a context of ${shape.nCtx} tokens`,
    );
  }
  if (options.numReturnSequences > 1) {
    for (const name of options.policies) {
      checkForks(strategyNamed(name));
    }
  }
  const recorded = "recorded" in lengths ? lengths.recorded : undefined;
  const hasTimes = recorded?.[0]?.arrivalMs !== undefined;
  if (hasTimes && rate !== undefined) {
    throw new UsageError("The file of lengths says when requests come: expected no --rate");
  }
  const nRequests = options.requests ?? recorded?.length ?? DEFAULT_REQUESTS;
  if (hasTimes && nRequests > recorded!.length) {
    throw new UsageError(
      `The file has times for ${recorded!.length} requests: expected at most as many --requests`,
    );
  }
  return {
    ...memoryPlanOf(options, shape, dryRun ? DRY_LIMITS : GPU_LIMITS),
    policies: options.policies,
    lengths,
    lengthScale: recorded === undefined ? lengthScale ?? shape.nCtx / FITTED_CONTEXT : 1,
    nRequests,
    ratePerSecond: rate,
    continuations: options.numReturnSequences,
    prefixes: prefixTokens === 0 ? undefined : { tokens: prefixTokens, groups: prefixGroups },
    seed: options.seed,
    limits: ttftLimit === undefined ? undefined : { ttftMs: ttftLimit, tpotMs: tpotLimit! },
    verify: options.verify,
  };
}
